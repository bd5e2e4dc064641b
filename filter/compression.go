package filter

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"math"
)

// A Compression is a way to make the values of a Reference smaller.
type Compression uint8

// The ways to compress.
const (
	NoCompression Compression = iota
	Zlib                      // RFC 1950
	Gzip                      // RFC 1952
)

// compress appends p, compressed, to dst.
func (c Compression) compress(dst, p []byte, level int) ([]byte, error) {
	if level == 0 {
		level = flate.DefaultCompression
	}
	out := bytes.NewBuffer(dst)
	var w io.WriteCloser
	var err error
	switch c {
	case Zlib:
		w, err = zlib.NewWriterLevel(out, level)
	case Gzip:
		w, err = gzip.NewWriterLevel(out, level)
	default:
		return append(dst, p...), nil
	}
	if err == nil {
		_, err = w.Write(p)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return dst, err
	}
	return out.Bytes(), nil
}

// expand returns what was compressed to p. If that is more than most bytes, it is ErrTooLong, and
// no more memory is taken than for those.
func (c Compression) expand(p []byte, most int) ([]byte, error) {
	in := bytes.NewReader(p)
	var r io.Reader
	var err error
	switch c {
	case Zlib:
		r, err = zlib.NewReader(in)
	case Gzip:
		var g *gzip.Reader
		if g, err = gzip.NewReader(in); err == nil {
			g.Multistream(false)
			r = g
		}
	default:
		return p, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	most = min(most, math.MaxInt-1)
	text, err := io.ReadAll(io.LimitReader(r, int64(most)+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	case len(text) > most:
		return nil, fmt.Errorf("%w: more than %d bytes when expanded", ErrTooLong, most)
	case in.Len() > 0:
		return nil, fmt.Errorf("%w: %d bytes after what is compressed", ErrMalformed, in.Len())
	}
	return text, nil
}
