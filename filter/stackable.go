package filter

import (
	"fmt"
	"slices"
	"strings"
)

// A Stackable is several filters as one. The first is next to the wire. Input goes up: what one
// filter decodes is the input of the next. Output goes down.
//
// A filter that is a RecordFilter gets the records of the one below as they are. Another one gets
// their bytes, and cannot get a record that has none: that is ErrRecord.
//
// Next takes no more from a filter than the one above it needs, so most of what waits is in the
// first one. What the others hold, Pending encodes by those below. If the output of a Map or a Grep
// is not what its input was made of, that is not quite what came from the wire.
//
// A stack of no filters lets bytes pass. The filters belong to the stack.
//
// POE: POE::Filter::Stackable, which loses what waits in all filters but the last.
type Stackable struct {
	filters []Filter
	ready   queue // for whoever reads: what a filter held that was on top, or input of an empty stack
	err     error

	from, to []Record // one step down
	text     []byte   // the bytes of those
}

// NewStackable returns a filter of filters, the first of which is next to the wire.
func NewStackable(filters ...Filter) *Stackable {
	s := &Stackable{ready: newQueue("", 0)}
	s.Push(filters...)
	return s
}

// Feed takes a piece of input.
func (s *Stackable) Feed(p []byte) {
	if len(p) > 0 {
		s.FeedRecord(Record{Bytes: p})
	}
}

// FeedRecord takes a record for the first filter.
func (s *Stackable) FeedRecord(r Record) {
	if s.err == nil {
		s.err = s.feed(0, r)
	}
}

// feed gives r to the i-th filter, or to whoever reads from the stack if there is none.
func (s *Stackable) feed(i int, r Record) error {
	if i == len(s.filters) {
		s.ready.add(r)
		return s.ready.err
	}
	if f, ok := s.filters[i].(RecordFilter); ok {
		f.FeedRecord(r)
		return nil
	}
	f := s.filters[i]
	switch v := r.Value.(type) {
	case nil:
		f.Feed(r.Bytes)
	case []byte:
		f.Feed(v)
	case string:
		f.Feed([]byte(v))
	default:
		return fmt.Errorf("%w: %T cannot decode a %T", ErrRecord, f, v)
	}
	return nil
}

// Next returns the next record of the last filter.
func (s *Stackable) Next() (r Record, ok bool, err error) {
	switch {
	case s.err != nil:
		return Record{}, false, s.err
	case s.ready.len() > 0:
		return s.ready.take(), true, nil
	}
	s.ready.settle()
	r, ok, s.err = s.next(len(s.filters) - 1)
	return r, ok, s.err
}

// next returns the next record of the i-th filter. It feeds it from the one below.
func (s *Stackable) next(i int) (r Record, ok bool, err error) {
	if i < 0 {
		return Record{}, false, nil
	}
	for {
		r, ok, err = s.filters[i].Next()
		if ok || err != nil {
			return r, ok, err
		}
		r, ok, err = s.next(i - 1)
		if !ok || err != nil {
			return Record{}, false, err
		}
		if err = s.feed(i, r); err != nil {
			return Record{}, false, err
		}
	}
}

// Append appends what the filters make of r, from the last to the first.
func (s *Stackable) Append(dst []byte, r Record) ([]byte, error) {
	records, err := s.down(len(s.filters), r)
	if err != nil {
		return dst, err
	}
	return s.appendAll(dst, records)
}

// AppendRecords appends the records that the filters make of r.
func (s *Stackable) AppendRecords(dst []Record, r Record) ([]Record, error) {
	records, err := s.down(len(s.filters), r)
	if err != nil {
		return dst, err
	}
	for _, r := range records {
		dst = append(dst, owned(r))
	}
	return dst, nil
}

// down passes r through the filters below the i-th. What it returns is good until the next call.
func (s *Stackable) down(i int, r Record) ([]Record, error) {
	s.from, s.text = append(s.from[:0], r), s.text[:0]
	for i--; i >= 0; i-- {
		s.to = s.to[:0]
		for _, r := range s.from {
			if err := s.encode(s.filters[i], r); err != nil {
				return nil, err
			}
		}
		s.from, s.to = s.to, s.from
	}
	return s.from, nil
}

// encode appends to s.to what f makes of r.
func (s *Stackable) encode(f Filter, r Record) (err error) {
	if f, ok := f.(RecordFilter); ok {
		s.to, err = f.AppendRecords(s.to, r)
		return err
	}
	start := len(s.text)
	s.text, err = f.Append(s.text, r)
	if len(s.text) > start {
		s.to = append(s.to, Record{Bytes: s.text[start:len(s.text):len(s.text)]})
	}
	return err
}

// appendAll appends the bytes of the records that came down.
func (s *Stackable) appendAll(dst []byte, records []Record) ([]byte, error) {
	out := dst
	for _, r := range records {
		var err error
		if out, err = appendText(out, r, "Stackable"); err != nil {
			return dst, err
		}
	}
	clear(s.from)
	clear(s.to)
	if cap(s.text) > idleBuffer {
		s.text = nil
	}
	return out, nil
}

// Flush appends what the filters hold back of the output.
func (s *Stackable) Flush(dst []byte) ([]byte, error) {
	out := dst
	for i := len(s.filters) - 1; i >= 0; i-- {
		held, err := flushed(s.filters[i])
		if err != nil {
			return dst, err
		}
		for _, r := range held {
			records, err := s.down(i, r)
			if err != nil {
				return dst, err
			}
			if out, err = s.appendAll(out, records); err != nil {
				return dst, err
			}
		}
	}
	return out, nil
}

// flushed returns what a filter holds back of the output.
func flushed(f Filter) ([]Record, error) {
	switch f := f.(type) {
	case recordFlusher:
		return f.FlushRecords(nil), nil
	case Flusher:
		b, err := f.Flush(nil)
		if len(b) == 0 {
			return nil, err
		}
		return []Record{{Bytes: b}}, err
	default:
		return nil, nil
	}
}

// Pending returns the bytes of PendingRecords.
func (s *Stackable) Pending() []byte {
	return joined(s.PendingRecords())
}

// PendingRecords returns the input that Next has not returned, as the first filter would get it. It
// leaves out what the filters below cannot encode.
func (s *Stackable) PendingRecords() []Record {
	var all []Record
	below := s.Clone().(*Stackable)
	for _, f := range below.filters {
		if b, ok := f.(*RecordBlock); ok {
			b.SetCheckPut(false)
		}
	}
	for i := len(s.filters); i >= 0; i-- {
		for _, r := range s.held(i) {
			if records, err := below.AppendRecords(nil, r); err == nil {
				all = append(all, records...)
			}
		}
		below.Pop()
	}
	return all
}

// held returns the input that waits in the i-th filter, or above the last.
func (s *Stackable) held(i int) []Record {
	if i == len(s.filters) {
		return s.ready.pending()
	}
	if f, ok := s.filters[i].(RecordFilter); ok {
		return f.PendingRecords()
	}
	if p := s.filters[i].Pending(); p != nil {
		return []Record{{Bytes: p}}
	}
	return nil
}

// Push puts filters on top. A nil filter panics before anything changes.
//
// POE: push.
func (s *Stackable) Push(filters ...Filter) {
	s.insert(len(s.filters), filters)
}

// Unshift puts filters below the others, next to the wire, in the order in which they are given. A
// nil filter panics before anything changes.
//
// POE: unshift.
func (s *Stackable) Unshift(filters ...Filter) {
	s.insert(0, filters)
}

// insert puts filters before the i-th.
func (s *Stackable) insert(i int, filters []Filter) {
	if slices.Contains(filters, nil) {
		panic("filter: Stackable cannot hold a nil filter")
	}
	wasTop := i == len(s.filters)
	s.filters = slices.Insert(s.filters, i, filters...)
	if wasTop && len(filters) > 0 {
		for s.err == nil && s.ready.len() > 0 {
			s.err = s.feed(i, s.ready.take())
		}
	}
}

// Pop removes the last filter and returns it, or nil if there is none. The stack takes over the
// input that it holds: Next returns that as it is. To use the filter elsewhere, clone it.
//
// POE: pop.
func (s *Stackable) Pop() Filter {
	return s.remove(len(s.filters) - 1)
}

// Shift removes the first filter and returns it, or nil if there is none. The next one takes over
// the input that it holds. To use the filter elsewhere, clone it.
//
// POE: shift.
func (s *Stackable) Shift() Filter {
	return s.remove(0)
}

// remove removes the i-th filter, and gives what it holds to the one that takes its place.
func (s *Stackable) remove(i int) Filter {
	if len(s.filters) == 0 {
		return nil
	}
	f, held := s.filters[i], s.held(i)
	s.filters = slices.Delete(s.filters, i, i+1)
	for _, r := range held {
		if s.err == nil {
			s.err = s.feed(i, r)
		}
	}
	return f
}

// Filters returns the filters, the one next to the wire first.
//
// POE: filters.
func (s *Stackable) Filters() []Filter {
	return slices.Clone(s.filters)
}

// Types returns the names of the filters' types, without the package.
//
// POE: filter_types.
func (s *Stackable) Types() []string {
	types := make([]string, len(s.filters))
	for i, f := range s.filters {
		name := fmt.Sprintf("%T", f)
		types[i] = name[strings.LastIndexByte(name, '.')+1:]
	}
	return types
}

// Clone returns a stack of clones.
func (s *Stackable) Clone() Filter {
	clones := make([]Filter, len(s.filters))
	for i, f := range s.filters {
		clones[i] = f.Clone()
	}
	return NewStackable(clones...)
}
