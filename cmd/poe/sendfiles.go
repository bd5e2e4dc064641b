package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// outgoingFiles returns the messages in a file: one, or, in a mailbox file, any number. In a
// Maildir they are all that are in new and cur.
func outgoingFiles(name string) ([]*outgoing, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, unreadable(err)
	case info.IsDir():
		return maildirFiles(name)
	case !info.Mode().IsRegular(): // a pipe, say, that can be read once
		return []*outgoing{{name: name, text: fileText(name)}}, nil
	}
	parts, err := mailboxParts(name)
	if err != nil {
		return nil, unreadable(err)
	}
	if parts == nil {
		return []*outgoing{{name: name, octets: info.Size(), text: fileText(name)}}, nil
	}
	messages := make([]*outgoing, len(parts))
	for i, p := range parts {
		messages[i] = &outgoing{
			name: fmt.Sprintf("%s:%d", name, i+1), octets: p.length, text: opener(p.open),
		}
	}
	return messages, nil
}

// unreadable makes a failure of an error of a file's.
func unreadable(err error) error {
	if file, ok := errors.AsType[*fs.PathError](err); ok {
		return failf(exitNoInput, "cannot read %s: %w", file.Path, file.Err)
	}
	return fail(exitNoInput, err)
}

// maildirFiles returns the messages of a Maildir, the oldest first as far as their names say.
func maildirFiles(dir string) ([]*outgoing, error) {
	var messages []*outgoing
	for _, sub := range []string{"new", "cur"} {
		entries, err := os.ReadDir(filepath.Join(dir, sub))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, failf(exitNoInput, "%s is a folder, but no Maildir: it has no %s", dir, sub)
		}
		if err != nil {
			return nil, unreadable(err)
		}
		for _, entry := range entries {
			if !entry.Type().IsRegular() || strings.HasPrefix(entry.Name(), ".") {
				continue
			}
			one := &outgoing{name: filepath.Join(dir, sub, entry.Name())}
			one.text = fileText(one.name)
			if info, err := entry.Info(); err == nil {
				one.octets = info.Size()
			}
			messages = append(messages, one)
		}
	}
	return messages, nil
}

// A mailboxPart is a message in a mailbox file.
type mailboxPart struct {
	file           string
	offset, length int64
}

// mailboxParts finds the messages of a mailbox file, in which each begins with a line From and
// follows an empty one. It returns nil if the file is of another kind.
func mailboxParts(name string) ([]mailboxPart, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() // it was only read
	r := bufio.NewReader(f)
	if !startsWith(r, "From ") {
		return nil, nil
	}
	var parts []mailboxPart
	for offset, blank := int64(0), int64(1); ; {
		line, err := nextLine(r)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if blank > 0 && line.isFrom || line.octets == 0 {
			if n := len(parts); n > 0 {
				parts[n-1].length = max(offset-blank-parts[n-1].offset, 0)
			}
			if line.octets == 0 {
				return parts, nil
			}
			parts = append(parts, mailboxPart{file: name, offset: offset + line.octets})
		}
		offset += line.octets
		blank = 0
		if line.isBlank {
			blank = line.octets
		}
	}
}

// A mailboxLine is what matters of a line of a mailbox file.
type mailboxLine struct {
	isFrom, isBlank bool
	octets          int64 // 0 at the end of the file
}

// nextLine skips one line, of any length.
func nextLine(r *bufio.Reader) (line mailboxLine, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if line.octets == 0 {
			line.isFrom = bytes.HasPrefix(part, []byte("From "))
			line.isBlank = string(part) == "\n" || string(part) == "\r\n"
		}
		line.octets += int64(len(part))
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// open returns the message as it was before it came into the file.
func (p mailboxPart) open() (io.ReadCloser, error) {
	f, err := os.Open(p.file)
	if err != nil {
		return nil, err
	}
	section := io.NewSectionReader(f, p.offset, p.length)
	return readCloser{&unquoted{r: bufio.NewReader(section)}, f}, nil
}

// unquoted takes one > from each line that begins with >From, or >>From, and so on.
type unquoted struct {
	r     *bufio.Reader
	rest  []byte
	begun bool // the next octets go on with a line
	err   error
}

// Read implements io.Reader.
func (u *unquoted) Read(p []byte) (int, error) {
	for len(u.rest) == 0 {
		if u.err != nil {
			return 0, u.err
		}
		u.rest, u.err = u.r.ReadSlice('\n')
		if errors.Is(u.err, bufio.ErrBufferFull) {
			u.err = nil
		}
		line := u.rest
		bare := bytes.TrimLeft(line, ">")
		if !u.begun && len(bare) < len(line) && bytes.HasPrefix(bare, []byte("From ")) {
			u.rest = line[1:]
		}
		u.begun = len(line) > 0 && line[len(line)-1] != '\n'
	}
	n := copy(p, u.rest)
	u.rest = u.rest[n:]
	return n, nil
}
