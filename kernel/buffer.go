package kernel

const (
	readBufferSize = 64 << 10
	leastBuffer    = 4 << 10
	mostBuffer     = 1 << 20
	mostSpare      = 4 << 20 // of all buffers that nobody uses
)

// buffers are what the wheels of a kernel share, so that a connection on which nothing happens
// holds no memory for what might.
type buffers struct {
	read  []byte
	spare [][]byte
	bytes int // of spare
}

// ReadBuffer returns a buffer of 64 KiB to read into. There is one, for all: what is in it is good
// until the caller's handler returns, or lets other handlers run.
func (k *Kernel) ReadBuffer() []byte {
	if k.buffers.read == nil {
		k.buffers.read = make([]byte, readBufferSize)
	}
	return k.buffers.read
}

// TakeBuffer returns an empty buffer to append to, which is the caller's until it gives it back.
func (k *Kernel) TakeBuffer() []byte {
	n := len(k.buffers.spare)
	if n == 0 {
		return make([]byte, 0, leastBuffer)
	}
	b := k.buffers.spare[n-1]
	k.buffers.spare[n-1] = nil
	k.buffers.spare = k.buffers.spare[:n-1]
	k.buffers.bytes -= cap(b)
	return b
}

// GiveBuffer takes a buffer back. The caller does not use it any more.
func (k *Kernel) GiveBuffer(b []byte) {
	if n := cap(b); n >= leastBuffer && n <= mostBuffer && k.buffers.bytes+n <= mostSpare {
		k.buffers.spare = append(k.buffers.spare, b[:0])
		k.buffers.bytes += n
	}
}
