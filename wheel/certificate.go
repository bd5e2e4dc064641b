package wheel

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/go-poe/poe/kernel"
)

const (
	// certificateInterval is how often a CertificateReloader looks at its files, unless its options
	// say otherwise.
	certificateInterval = time.Minute

	// maxCertificateFile is the size of the largest file that a CertificateReloader reads: in
	// bytes.
	maxCertificateFile = 1 << 20
)

// ErrNoCertificate is what a handshake ends with before a CertificateReloader has loaded its files.
var ErrNoCertificate = errors.New("wheel: certificate is not loaded yet")

// errCertificateSize is the error for a file that is larger than any certificate.
var errCertificateSize = fmt.Errorf("file has more than %d bytes", maxCertificateFile)

// CertificateReloaderOptions are the options of a CertificateReloader. The files have no default.
type CertificateReloaderOptions struct {
	CertFile string // PEM: the certificate, and after it those that lead to its authority
	KeyFile  string // PEM: its private key

	// Interval is the time between two looks at the files; 0 means a minute, and less that there
	// are none: then only Reload looks.
	Interval time.Duration

	LoadedEvent string // ID: the certificate is there, or another has taken its place
	ErrorEvent  string // *Error: loading failed. What was there stays; without it, the log has it
}

// check panics if the programmer made a mistake, and fills in what was left out.
func (o *CertificateReloaderOptions) check() {
	if o.CertFile == "" || o.KeyFile == "" {
		panic("wheel: CertificateReloaderOptions has no CertFile or no KeyFile")
	}
	if o.Interval == 0 {
		o.Interval = certificateInterval
	}
}

// A CertificateReloader has a certificate for TLS that lies in two files, also when other files
// take their place. It reads them as slow work, so that no handshake waits for a disk. Its
// GetCertificate and GetClientCertificate are for the fields of a tls.Config with these names.
// Connections that there are keep the certificate that they began with.
type CertificateReloader struct {
	base
	opts   CertificateReloaderOptions
	loaded string
	look   string

	current *tls.Certificate // nil before there is one
	files   [2]os.FileInfo   // that it came from
	busy    bool             // it is being loaded
	again   bool             // and Reload was called since that began
}

// NewCertificateReloader begins to load the files on behalf of owner. The wheel works until Close.
// The error is kernel.ErrNoSession if owner has ended.
func NewCertificateReloader(
	owner *kernel.Session, opts CertificateReloaderOptions,
) (*CertificateReloader, error) {
	opts.check()
	if owner.Ended() {
		return nil, kernel.ErrNoSession
	}
	r := &CertificateReloader{base: newBase(certificateReloader, owner), opts: opts}
	r.owner.AtEnd(r)
	r.loaded = r.state("loaded", r.gotFiles)
	r.look = r.state("look", func(*kernel.Event) { r.load() })
	r.hold()
	r.load()
	return r, nil
}

// load reads the files, if they are others than those that the certificate came from.
func (r *CertificateReloader) load() {
	if r.busy {
		return
	}
	known, opts := r.files, r.opts
	err := r.owner.Work(func(context.Context) (any, error) {
		return loadCertificate(opts.CertFile, opts.KeyFile, known)
	}, r.loaded)
	if err != nil {
		r.failed(err)
		return
	}
	r.busy = true
}

// gotFiles takes what slow work has found.
func (r *CertificateReloader) gotFiles(e *kernel.Event) {
	done := kernel.Arg[*kernel.Done](e, 0)
	r.busy = false
	if r.again {
		r.again = false
		r.load() // these may be files that were there before
		return
	}
	if done.Err != nil {
		r.failed(done.Err)
		return
	}
	r.wait()
	if found, ok := done.Value.(*certificateFiles); ok && found != nil {
		r.current, r.files = found.certificate, found.files
		_ = r.tell(r.opts.LoadedEvent, r.id)
	}
}

// failed says what went wrong, and tries again later.
func (r *CertificateReloader) failed(err error) {
	r.wait()
	failed := &Error{Op: "load", Err: err, Wheel: r.id}
	if r.tell(r.opts.ErrorEvent, failed) != nil {
		r.owner.Kernel().Log().Error("wheel: cannot load a certificate", zap.Error(err))
	}
}

// wait looks again when it is time.
func (r *CertificateReloader) wait() {
	if r.opts.Interval > 0 {
		r.owner.Delay(r.look, r.opts.Interval)
	}
}

// Reload loads the files now, changed or not, for instance on SIGHUP. What comes of it is
// LoadedEvent or ErrorEvent.
func (r *CertificateReloader) Reload() {
	if r.closed {
		return
	}
	r.files = [2]os.FileInfo{}
	r.again = r.busy
	r.load()
}

// Certificate returns the certificate, or nil before LoadedEvent. Nobody may change it.
func (r *CertificateReloader) Certificate() *tls.Certificate { return r.current }

// GetCertificate is for the tls.Config of a server. Its error is ErrNoCertificate.
func (r *CertificateReloader) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if r.current == nil {
		return nil, ErrNoCertificate
	}
	return r.current, nil
}

// GetClientCertificate is for the tls.Config of a client. Its error is ErrNoCertificate.
func (r *CertificateReloader) GetClientCertificate(
	*tls.CertificateRequestInfo,
) (*tls.Certificate, error) {
	return r.GetCertificate(nil)
}

// Close ends the wheel. The certificate stays as it is. A second Close does nothing.
func (r *CertificateReloader) Close() {
	if r.closed {
		return
	}
	r.owner.AlarmClear(r.look)
	if r.busy {
		r.close(r, r.loaded)
	} else {
		r.close(r)
	}
}

// certificateFiles is a certificate, and the files that it came from.
type certificateFiles struct {
	certificate *tls.Certificate
	files       [2]os.FileInfo
}

// loadCertificate reads a certificate and its key. It returns nil if the files are known.
func loadCertificate(cert, key string, known [2]os.FileInfo) (*certificateFiles, error) {
	var texts [2][]byte
	found, changed := new(certificateFiles), false
	for i, name := range [2]string{cert, key} {
		var err error
		if texts[i], found.files[i], err = readCertificateFile(name); err != nil {
			return nil, err
		}
		changed = changed || !sameFile(found.files[i], known[i])
	}
	if !changed {
		return nil, nil
	}
	pair, err := tls.X509KeyPair(texts[0], texts[1])
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %w", cert, key, err)
	}
	found.certificate = &pair
	return found, nil
}

// readCertificateFile returns what a file holds, and which one it was before it was read.
func readCertificateFile(name string) (text []byte, info os.FileInfo, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, nil, err
	}
	text, err = io.ReadAll(io.LimitReader(f, maxCertificateFile+1))
	if err == nil && len(text) > maxCertificateFile {
		err = fmt.Errorf("%s: %w", name, errCertificateSize)
	}
	return text, info, err
}

// sameFile reports whether a file is the one that is known, and has not been written to.
func sameFile(found, known os.FileInfo) bool {
	return known != nil && os.SameFile(found, known) && found.Size() == known.Size() &&
		found.ModTime().Equal(known.ModTime())
}
