package filter

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"fmt"
)

// A Serializer turns values into bytes and back, for a Reference.
type Serializer interface {
	// Append appends the encoding of v to dst and returns the extended slice.
	Append(dst []byte, v any) ([]byte, error)

	// Decode decodes p, which it must use up, and may not keep.
	Decode(p []byte) (any, error)
}

// Gob is the Serializer of the package encoding/gob. Every value is encoded on its own, with
// the description of its type.
//
// Gob was not made for input from an adversary. A limit holds for the bytes of a value, but a few
// of them may decode to much more.
type Gob struct {
	// New returns a pointer to a new value to decode into. That pointer is the Value of the record,
	// and both ends send that type only. If New is nil, a value is sent with the name of its type,
	// which both ends must have given to gob.Register, and comes back as what it was.
	New func() any
}

// Append appends the encoding of v.
func (g Gob) Append(dst []byte, v any) ([]byte, error) {
	out := bytes.NewBuffer(dst)
	what := v
	if g.New == nil {
		what = &v // with the name of its type
	}
	if err := encodeGob(out, what); err != nil {
		return dst, err
	}
	return out.Bytes(), nil
}

// encodeGob encodes v. Of a nil pointer, gob makes no error: it panics.
func encodeGob(out *bytes.Buffer, v any) (err error) {
	defer caught(&err)
	return gob.NewEncoder(out).Encode(v)
}

// caught makes an error of what gob panics with.
func caught(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("gob: %v", r)
	}
}

// Decode decodes p. A value from the wire must not be able to bring the program down, and gob does
// not promise that it cannot.
func (g Gob) Decode(p []byte) (v any, err error) {
	defer caught(&err)
	in := bytes.NewReader(p)
	decoder := gob.NewDecoder(in)
	if g.New == nil {
		err = decoder.Decode(&v)
	} else {
		v = g.New()
		err = decoder.Decode(v)
	}
	if err == nil && in.Len() > 0 {
		err = fmt.Errorf("gob: %d bytes after the value", in.Len())
	}
	return v, err
}

// JSON is the Serializer of the package encoding/json. Other languages read it, and it is safe with
// input from anybody.
type JSON struct {
	// New returns a pointer to a new value to decode into, which is the Value of the record. If
	// it is nil, the Value is what json.Unmarshal makes of JSON for an any: maps, slices, strings,
	// float64 and so on.
	New func() any
}

// Append appends the encoding of v.
func (j JSON) Append(dst []byte, v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return dst, err
	}
	return append(dst, text...), nil
}

// Decode decodes p.
func (j JSON) Decode(p []byte) (v any, err error) {
	if j.New == nil {
		err = json.Unmarshal(p, &v)
		return v, err
	}
	v = j.New()
	return v, json.Unmarshal(p, v)
}
