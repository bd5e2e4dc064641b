package main

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// accountsVariable names another file of accounts.
const accountsVariable = "POE_ACCOUNTS"

// defaultAccount is the account that is used if none is named, and there is one of that name.
const defaultAccount = "default"

// useAccount sets the flags that an account has, and that are not on the command line.
//
// The file has a flag and its value on each line. What comes before the first account is for all:
//
//	timeout 1m
//	[work]
//	server smtp.example.com:587
//	user me@example.com
//	password-file ~/.work-password
func (w *wayFlags) useAccount(flags *pflag.FlagSet) error {
	name, wanted := w.accounts, w.account
	asked := name != "" || wanted != ""
	if name == "" {
		name = accountsFile()
	}
	if wanted == "" {
		wanted = defaultAccount
	}
	f, err := os.Open(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !asked:
		return nil
	case err != nil:
		return failf(exitConfig, "the file of accounts: %w", err)
	}
	defer f.Close() // it was only read
	reader := accountReader{file: name, flags: flags, wanted: wanted, mine: true, own: w.own}
	if info, err := f.Stat(); err == nil {
		reader.open = info.Mode().Perm()&0o077 != 0
	}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if err := reader.line(lines.Text()); err != nil {
			return err
		}
	}
	switch {
	case lines.Err() != nil:
		return failf(exitConfig, "%s:%d: %w", name, reader.number+1, lines.Err())
	case !reader.found && w.account != "":
		return failf(exitConfig, "%s has no account %q", name, w.account)
	}
	return nil
}

// accountsFile is where the accounts are unless somebody says otherwise.
func accountsFile() string {
	if name := os.Getenv(accountsVariable); name != "" {
		return name
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return os.DevNull // nobody has a home, so nobody has accounts
	}
	return filepath.Join(dir, "poe", "accounts")
}

// accountFlags returns the names of the flags that an account may set.
func accountFlags(groups []flagGroup) []string {
	names := []string{"from"}
	for _, g := range groups {
		g.flags.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	}
	return slices.DeleteFunc(names, func(name string) bool {
		return name == "account" || name == "accounts"
	})
}

// An accountReader reads the lines of a file of accounts.
type accountReader struct {
	file   string
	open   bool // others may read it
	number int
	flags  *pflag.FlagSet
	own    []string
	wanted string
	mine   bool // the lines are of the account that is wanted, or for all
	found  bool
	set    []string // by this file: the account's lines count more than those for all
}

// line takes one line.
func (r *accountReader) line(text string) error {
	r.number++
	text = strings.TrimSpace(text)
	switch {
	case text == "" || strings.HasPrefix(text, "#"):
		return nil
	case strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]"):
		r.mine = text[1:len(text)-1] == r.wanted
		r.found = r.found || r.mine
		return nil
	}
	name, value := text, ""
	if i := strings.IndexAny(text, " \t="); i >= 0 {
		name, value = text[:i], strings.TrimLeft(text[i:], " \t=")
	}
	flag := r.flags.Lookup(name)
	switch {
	case flag == nil || !slices.Contains(r.own, flag.Name):
		return failf(exitConfig, "%s:%d: there is no option %q", r.file, r.number, name)
	case flag.Name == "password" && r.open:
		return failf(exitConfig, "%s:%d: others can read the password: chmod 600 %[1]s",
			r.file, r.number)
	case !r.mine || flag.Changed && !slices.Contains(r.set, flag.Name):
		return nil
	case value == "":
		value = flag.NoOptDefVal
	}
	if home, err := os.UserHomeDir(); err == nil && strings.HasPrefix(value, "~/") {
		value = filepath.Join(home, value[2:])
	}
	r.set = append(r.set, flag.Name)
	if err := r.flags.Set(flag.Name, value); err != nil {
		return failf(exitConfig, "%s:%d: %w", r.file, r.number, err)
	}
	return nil
}
