package main

import (
	_ "embed"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

//go:embed testdata/kernel.pl
var kernelPerl string

// A perl runs the same work with Perl's POE.
type perl struct {
	path string
}

// findPerl returns Perl with POE, or why there is none.
func findPerl() (*perl, string) {
	path, err := exec.LookPath("perl")
	if err != nil {
		return nil, "there is no perl"
	}
	if err := exec.Command(path, "-MPOE", "-e", "$poe_kernel->run").Run(); err != nil {
		return nil, "perl has no POE (Debian: libpoe-perl)"
	}
	return &perl{path}, ""
}

// peers returns Perl as the peer of a measurement that does n operations of what kernel.pl calls by
// that name. Without Perl there is none.
func (p *perl) peers(what string, n int) []contender {
	if p == nil {
		return nil
	}
	return []contender{{"Perl POE", func() (float64, error) { return p.run(what, n) }}}
}

// run returns the nanoseconds of processor time for one operation, which the script prints.
func (p *perl) run(what string, n int) (float64, error) {
	cmd := exec.Command(p.path, "-", what, strconv.Itoa(n))
	cmd.Stdin = strings.NewReader(kernelPerl)
	out, err := cmd.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return 0, fmt.Errorf("%w: %s", err, failed.Stderr)
	}
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
}
