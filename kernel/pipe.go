package kernel

// Pipe returns the two ends of a pipe: what is written to w comes out of r. The two belong to the
// caller, who closes them one by one; closing w is the end of what comes out of r, and writing to w
// after r is closed fails with EPIPE.
//
// POE: POE::Pipe::OneWay.
func Pipe() (r, w Handle, err error) {
	rfd, wfd, err := openPipe()
	if err != nil {
		return nil, nil, err
	}
	return &descriptor{fd: rfd, oneWay: Read}, &descriptor{fd: wfd, oneWay: Write}, nil
}

// SocketPair returns two connected sockets: what is written to one comes out of the other. The two
// belong to the caller.
//
// POE: POE::Pipe::TwoWay, which has a handle for each direction.
func SocketPair() (a, b Handle, err error) {
	afd, bfd, err := openPair()
	if err != nil {
		return nil, nil, err
	}
	return &descriptor{fd: afd, socket: true}, &descriptor{fd: bfd, socket: true}, nil
}
