package client

// A fifo is a queue. The zero value is empty.
type fifo[T any] struct {
	all  []T
	done int // of all
}

// waiting returns those that wait, the oldest first. It is good until the next call.
func (q *fifo[T]) waiting() []T { return q.all[q.done:] }

func (q *fifo[T]) add(v T) { q.all = append(q.all, v) }

// addFirst adds v before all others.
func (q *fifo[T]) addFirst(v T) {
	if q.done == 0 {
		q.all = append([]T{v}, q.all...)
		return
	}
	q.done--
	q.all[q.done] = v
}

// take returns the oldest, which waits no more.
func (q *fifo[T]) take() T {
	var none T
	v := q.all[q.done]
	q.all[q.done] = none
	q.done++
	switch {
	case q.done == len(q.all):
		q.all, q.done = q.all[:0], 0
	case q.done >= compactFrom && q.done > len(q.all)/2:
		n := copy(q.all, q.all[q.done:])
		clear(q.all[n:])
		q.all, q.done = q.all[:n], 0
	}
	return v
}

// compactFrom is how many may be taken before their room is used again.
const compactFrom = 64

// remove takes the i-th of those that wait out of the queue.
func (q *fifo[T]) remove(i int) {
	i += q.done
	var none T
	copy(q.all[i:], q.all[i+1:])
	q.all[len(q.all)-1] = none
	q.all = q.all[:len(q.all)-1]
	if q.done == len(q.all) {
		q.all, q.done = q.all[:0], 0
	}
}
