package wheel

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// maxFile is how long a file of the user's may be, in bytes: a history, or an inputrc.
const maxFile = 16 << 20

// ErrFileTooLong reports a file that is longer than any history should be.
var ErrFileTooLong = errors.New("wheel: file is too long")

// A history is the lines that were entered, the first first.
type history struct {
	lines []string
	max   int
}

// add adds a line, and returns how many went away for that.
func (h *history) add(line string, most int) (dropped int) {
	if line = valid(line); len(line) > most {
		line = strings.ToValidUTF8(line[:most], "")
	}
	if len(h.lines) >= h.max {
		dropped = len(h.lines) - h.max + 1
		h.lines = append(h.lines[:0], h.lines[dropped:]...)
	}
	h.lines = append(h.lines, line)
	return dropped
}

// readLines returns the lines of a file, from start up to end, or up to its end if end is not
// behind start.
func readLines(name string, start, end int) ([]string, error) {
	text, err := readFile(name)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(text) == 0 {
		lines = nil
	}
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], "\r")
	}
	start = min(max(start, 0), len(lines))
	if end < start || end >= len(lines) {
		return lines[start:], nil
	}
	return lines[start : end+1], nil
}

// readFile returns what is in a file of the user's, if that is a file, and no pipe that never ends.
func readFile(name string) ([]byte, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w", name, errors.ErrUnsupported)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if len(text) > maxFile {
		return nil, fmt.Errorf("%s: %w", name, ErrFileTooLong)
	}
	return text, err
}

// writeLines makes a file of lines. Whoever reads it meanwhile sees the old or the new one, and
// nobody else may read the new.
func writeLines(name string, lines []string) error {
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(strings.NewReplacer("\n", " ", "\r", " ").Replace(line) + "\n")
	}
	_, err = f.WriteString(b.String())
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// homeFile returns name, or the file of the user's that has another name.
func homeFile(name, or string) (string, error) {
	if name != "" {
		return name, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, or), nil
}
