package filter

import "fmt"

// A RecordFilter is a Filter whose input and output are records too. It works in a [Stackable],
// where it gets the records of the filter below and gives its own to that. Used alone, each piece
// that it is fed is a record.
type RecordFilter interface {
	Filter

	// FeedRecord takes one record. It copies what it needs of r.Bytes.
	FeedRecord(r Record)

	// AppendRecords appends the records that the filter makes of r and returns the extended
	// slice. Their Bytes may be those of r. If it returns an error, that is dst as it was.
	AppendRecords(dst []Record, r Record) ([]Record, error)

	// PendingRecords returns the input that Next has not returned. It is good until the next call
	// on this filter. Pending returns the bytes of it, and leaves out what has no bytes.
	PendingRecords() []Record
}

// A Flusher is a Filter that may hold back what it was given to Append.
type Flusher interface {
	// Flush appends what was held back, and holds it no longer.
	Flush(dst []byte) ([]byte, error)
}

// A recordFlusher is a Flusher that gives its records.
type recordFlusher interface {
	FlushRecords(dst []Record) []Record
}

// recordSize is what a record takes in a queue, besides its bytes.
const recordSize = 40

// weight returns what a record takes in a queue, in bytes, with those that are in it.
func weight(r Record) int {
	n := textLen(r) + recordSize
	block, _ := r.Value.([]Record)
	for _, r := range block {
		n += weight(r)
	}
	return n
}

// A queue is the input of a RecordFilter. The bytes of the records lie one after the other in one
// buffer, which starts again when all were taken.
type queue struct {
	list []Record
	off  int // list[:off] is taken
	text []byte
	size int // what waits, in bytes
	max  int // more than this is an error
	err  error
}

// newQueue returns a queue with the limit max, or the usual one if that is 0.
func newQueue(options string, max int) queue {
	if max < 0 {
		panic(fmt.Sprintf("filter: %s has a negative limit", options))
	}
	if max == 0 {
		max = DefaultMaxBuffer
	}
	return queue{max: max}
}

// add takes a copy of r, unless the stream is lost.
func (q *queue) add(r Record) {
	if q.err != nil {
		return
	}
	switch {
	case q.len() == 0:
		q.list, q.off, q.text = q.list[:0], 0, q.text[:0]
	case q.off > len(q.list)/2:
		n := copy(q.list, q.list[q.off:])
		clear(q.list[n:])
		q.list, q.off = q.list[:n], 0
	}
	q.size += weight(r)
	if q.size > q.max {
		q.err = fmt.Errorf("%w: more than %d bytes", ErrBufferFull, q.max)
	}
	if r.Value == nil {
		if len(q.text)+len(r.Bytes) > cap(q.text) {
			q.move(len(r.Bytes))
		}
		r.Bytes = q.keep(r.Bytes)
	}
	q.list = append(q.list, r)
}

// move gives the bytes of the records that wait a new buffer, with room for n more.
func (q *queue) move(n int) {
	q.text = make([]byte, 0, n+q.size+q.size/2)
	for i := q.off; i < len(q.list); i++ {
		if r := &q.list[i]; r.Value == nil {
			r.Bytes = q.keep(r.Bytes)
		}
	}
}

// keep copies p into the buffer, which has room for it.
func (q *queue) keep(p []byte) []byte {
	start := len(q.text)
	q.text = append(q.text, p...)
	return q.text[start:len(q.text):len(q.text)]
}

// take returns the next record, whose bytes are good until the next call of add or settle. There
// must be one.
func (q *queue) take() Record {
	r := q.list[q.off]
	q.list[q.off] = Record{}
	q.off++
	q.size -= weight(r)
	return r
}

// len returns how many records wait.
func (q *queue) len() int {
	return len(q.list) - q.off
}

// settle gives memory back. A filter calls it when it finds no further record.
func (q *queue) settle() {
	if q.len() > 0 {
		return
	}
	if cap(q.text) > idleBuffer {
		q.text = nil
	}
	if cap(q.list) > idleBuffer/recordSize {
		q.list, q.off = nil, 0
	}
}

// pending returns the records that wait, or nil.
func (q *queue) pending() []Record {
	if q.len() == 0 {
		return nil
	}
	return q.list[q.off:len(q.list):len(q.list)]
}

// joined returns the bytes of those records that have bytes, or nil.
func joined(records []Record) []byte {
	var all []byte
	for _, r := range records {
		if isText(r) {
			all, _ = appendText(all, r, "")
		}
	}
	return all
}
