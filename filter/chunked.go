package filter

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// maxChunkLine is the limit of the line in front of a chunk, in bytes. All that it needs is a
// number.
const maxChunkLine = 4 << 10

// A chunked decodes content that comes in chunks (RFC 9112, section 7.1). Its lines end in CR LF
// and nothing else.
type chunked struct {
	max     int // bytes of the trailer
	at      chunkState
	left    int // bytes of the chunk that are to come
	lines   []string
	trailer http.Header // when all is there
}

// A chunkState says what comes next.
type chunkState uint8

const (
	chunkSize chunkState = iota
	chunkData
	chunkEnd
	chunkTrailer
)

// next returns a piece of the content, how much of p was used for it and what is around it, and
// whether that was all. The piece lies in p. If nothing was used, more must come.
func (c *chunked) next(p []byte) (piece []byte, used int, done bool, err error) {
	for {
		rest := p[used:]
		n := 0
		switch c.at {
		case chunkSize:
			n, err = c.size(rest)
		case chunkData:
			n = min(c.left, len(rest))
			if c.left -= n; c.left == 0 {
				c.at = chunkEnd
			}
			if n > 0 {
				return rest[:n:n], used + n, false, nil
			}
		case chunkEnd:
			n, err = c.end(rest)
		case chunkTrailer:
			n, done, err = c.field(rest)
		}
		used += n
		if n == 0 || done || err != nil {
			return nil, used, done, err
		}
	}
}

// size reads the line in front of a chunk.
func (c *chunked) size(p []byte) (n int, err error) {
	line, n, err := chunkLine(p, maxChunkLine)
	if n == 0 || err != nil {
		return n, err
	}
	digits, _, _ := strings.Cut(line, ";")
	size, err := strconv.ParseUint(strings.TrimRight(digits, " \t"), 16, strconv.IntSize-1)
	if err != nil {
		return 0, fmt.Errorf("%w: a chunk of size %.20q", ErrMalformed, digits)
	}
	c.left = int(size)
	c.at = chunkData
	if size == 0 {
		c.at = chunkTrailer
	}
	return n, nil
}

// end reads the CR LF after a chunk.
func (c *chunked) end(p []byte) (n int, err error) {
	switch {
	case !bytes.HasPrefix([]byte("\r\n"), p[:min(2, len(p))]):
		return 0, fmt.Errorf("%w: a chunk is longer than its size", ErrMalformed)
	case len(p) < 2:
		return 0, nil
	}
	c.at = chunkSize
	return 2, nil
}

// field reads a line of the trailer. The last one is empty.
func (c *chunked) field(p []byte) (n int, done bool, err error) {
	line, n, err := chunkLine(p, c.max)
	switch {
	case n == 0 || err != nil:
		return n, false, err
	case line != "":
		c.max -= n
		c.lines = append(c.lines, line)
		return n, false, nil
	case len(c.lines) > 0:
		header, refused := parseHeader(c.lines)
		if refused != nil {
			return 0, false, fmt.Errorf("%w: a trailer", ErrMalformed)
		}
		c.trailer = header
	}
	return n, true, nil
}

// chunkLine returns the line that p begins with, and how long it is with its CR LF. If its end has
// not come, n is 0.
func chunkLine(p []byte, most int) (line string, n int, err error) {
	i := bytes.IndexByte(p, '\n')
	switch {
	case i > most || i < 0 && len(p) > most:
		return "", 0, fmt.Errorf("%w: a line among chunks of more than %d bytes", ErrTooLong, most)
	case i < 0:
		return "", 0, nil
	case i == 0 || bytes.IndexByte(p[:i], '\r') != i-1:
		return "", 0, fmt.Errorf("%w: a line among chunks that does not end in CR LF", ErrMalformed)
	}
	return string(p[:i-1]), i + 1, nil
}
