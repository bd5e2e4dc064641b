package filter

// GrepOptions are the options of a Grep: Code, or both Get and Put.
type GrepOptions struct {
	Code func(r Record) bool // for both directions
	Get  func(r Record) bool // whether a record of the input passes
	Put  func(r Record) bool // whether a record of the output passes

	MaxBuffer int // bytes that may wait, counting 40 more for each record; 0 means DefaultMaxBuffer
}

// A Grep is the filter that lets records pass or drops them.
//
// POE: POE::Filter::Grep.
type Grep struct {
	opts GrepOptions
	in   queue
}

// NewGrep returns a filter that drops records.
func NewGrep(opts GrepOptions) *Grep {
	switch {
	case opts.Code == nil && (opts.Get == nil || opts.Put == nil):
		panic("filter: GrepOptions has neither Code nor both Get and Put")
	case opts.Code != nil && (opts.Get != nil || opts.Put != nil):
		panic("filter: GrepOptions has both Code and Get or Put")
	case opts.Code != nil:
		opts.Get, opts.Put, opts.Code = opts.Code, opts.Code, nil
	}
	return &Grep{opts: opts, in: newQueue("GrepOptions", opts.MaxBuffer)}
}

// Modify replaces the functions that are not nil. Records that wait are for the new ones.
//
// POE: modify.
func (g *Grep) Modify(get, put func(r Record) bool) {
	if get != nil {
		g.opts.Get = get
	}
	if put != nil {
		g.opts.Put = put
	}
}

// Feed takes p as one record, unless it is empty.
func (g *Grep) Feed(p []byte) {
	if len(p) > 0 {
		g.in.add(Record{Bytes: p})
	}
}

// FeedRecord takes one record.
func (g *Grep) FeedRecord(r Record) {
	g.in.add(r)
}

// Next returns the next record that passes.
func (g *Grep) Next() (r Record, ok bool, err error) {
	for g.in.err == nil && g.in.len() > 0 {
		if r = g.in.take(); g.opts.Get(r) {
			return r, true, nil
		}
	}
	g.in.settle()
	return Record{}, false, g.in.err
}

// Append appends the bytes of r if it passes.
func (g *Grep) Append(dst []byte, r Record) ([]byte, error) {
	if !g.opts.Put(r) {
		return dst, nil
	}
	return appendText(dst, r, "Grep")
}

// AppendRecords appends r if it passes.
func (g *Grep) AppendRecords(dst []Record, r Record) ([]Record, error) {
	if !g.opts.Put(r) {
		return dst, nil
	}
	return append(dst, r), nil
}

// Pending returns the bytes of PendingRecords.
func (g *Grep) Pending() []byte {
	return joined(g.in.pending())
}

// PendingRecords returns the records that Next has not looked at.
func (g *Grep) PendingRecords() []Record {
	return g.in.pending()
}

// Clone returns a Grep with the same functions and no input.
func (g *Grep) Clone() Filter {
	return NewGrep(g.opts)
}
