package kernel

const (
	readBufferSize = 64 << 10
	leastBuffer    = 4 << 10
	mostBuffer     = 256 << 10
	spareBuffers   = 64
)

// buffers are what the wheels of a kernel share, so that a connection on which nothing happens
// holds no memory for what might.
type buffers struct {
	read  []byte
	spare [][]byte
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
	k.buffers.spare = k.buffers.spare[:n-1]
	return b
}

// GiveBuffer takes a buffer back. The caller does not use it any more.
func (k *Kernel) GiveBuffer(b []byte) {
	if cap(b) >= leastBuffer && cap(b) <= mostBuffer && len(k.buffers.spare) < spareBuffers {
		k.buffers.spare = append(k.buffers.spare, b[:0])
	}
}
