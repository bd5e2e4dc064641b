package filter

// A MapFunc appends the records that take the place of r: none, one, or more. Their Bytes may be
// those of r, or parts of them, but it may not write to these.
type MapFunc func(dst []Record, r Record) []Record

// MapOptions are the options of a Map: Code, or both Get and Put.
type MapOptions struct {
	Code MapFunc // for both directions
	Get  MapFunc // for the records of the input
	Put  MapFunc // for the records of the output

	MaxBuffer int // bytes that may wait, counting 40 more for each record; 0 means DefaultMaxBuffer
}

// A Map is the filter that puts records in the place of others.
//
// It maps a record of the input when Next needs it. What Next has not returned of a record that was
// mapped to several, Pending gives to Put, to make input of it again.
//
// POE: POE::Filter::Map.
type Map struct {
	opts MapOptions
	in   queue
	out  []Record // what the last record of the input was mapped to
	next int      // out[:next] is returned
}

// NewMap returns a filter that maps records.
func NewMap(opts MapOptions) *Map {
	switch {
	case opts.Code == nil && (opts.Get == nil || opts.Put == nil):
		panic("filter: MapOptions has neither Code nor both Get and Put")
	case opts.Code != nil && (opts.Get != nil || opts.Put != nil):
		panic("filter: MapOptions has both Code and Get or Put")
	case opts.Code != nil:
		opts.Get, opts.Put, opts.Code = opts.Code, opts.Code, nil
	}
	return &Map{opts: opts, in: newQueue("MapOptions", opts.MaxBuffer)}
}

// Modify replaces the functions that are not nil. Records that wait are for the new ones.
//
// POE: modify.
func (m *Map) Modify(get, put MapFunc) {
	if get != nil {
		m.opts.Get = get
	}
	if put != nil {
		m.opts.Put = put
	}
}

// Feed takes p as one record, unless it is empty.
func (m *Map) Feed(p []byte) {
	if len(p) > 0 {
		m.FeedRecord(Record{Bytes: p})
	}
}

// FeedRecord takes one record.
func (m *Map) FeedRecord(r Record) {
	if m.next < len(m.out) && m.in.len() == 0 {
		m.in.text = nil // what waits in out may lie there
	}
	m.in.add(r)
}

// Next returns the next of the records that the input is mapped to.
func (m *Map) Next() (r Record, ok bool, err error) {
	for m.in.err == nil {
		if m.next < len(m.out) {
			r, m.out[m.next] = m.out[m.next], Record{}
			m.next++
			return r, true, nil
		}
		if m.in.len() == 0 {
			break
		}
		m.out, m.next = m.opts.Get(m.out[:0], m.in.take()), 0
	}
	m.in.settle()
	return Record{}, false, m.in.err
}

// Append appends the bytes of the records that r is mapped to.
func (m *Map) Append(dst []byte, r Record) ([]byte, error) {
	out := dst
	for _, r := range m.opts.Put(nil, r) {
		var err error
		if out, err = appendText(out, r, "Map"); err != nil {
			return dst, err
		}
	}
	return out, nil
}

// AppendRecords appends the records that r is mapped to.
func (m *Map) AppendRecords(dst []Record, r Record) ([]Record, error) {
	return m.opts.Put(dst, r), nil
}

// Pending returns the bytes of PendingRecords.
func (m *Map) Pending() []byte {
	return joined(m.PendingRecords())
}

// PendingRecords returns what Put makes of the records that were mapped and not returned, and then
// the records that were not mapped.
func (m *Map) PendingRecords() []Record {
	if m.next == len(m.out) {
		return m.in.pending()
	}
	var records []Record
	for _, r := range m.out[m.next:] {
		records = m.opts.Put(records, r)
	}
	return append(records, m.in.pending()...)
}

// Clone returns a Map with the same functions and no input.
func (m *Map) Clone() Filter {
	return NewMap(m.opts)
}
