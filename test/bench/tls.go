package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"sync"
	"time"

	"github.com/go-poe/poe/component/tcp"
	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/wheel"
)

// tlsTrials are TLS by us, and by crypto/tls over a net.Conn with a goroutine for each. The other
// end is always the latter.
func tlsTrials() []trial {
	turns := func(
		name, role string, oneProcessor bool, connect func(addr string) (client, error),
	) trial {
		return trial{
			name:     name,
			figures:  []string{"clock", "processor"},
			entrants: []entrant{{name: "ours"}, {name: "crypto/tls"}},
			together: func() ([][]float64, error) {
				return takeTurns([]string{"ours " + role, "net " + role}, oneProcessor, connect)
			},
		}
	}
	const connections = 5000
	idle := func(who string) entrant {
		return entrant{who, func() ([]float64, error) { return idleTLS(who+" TLS echo", connections) }}
	}
	return []trial{
		turns("TLS, a MiB is sent", "source", false, newReader),
		turns("TLS, a MiB is received", "sink", false, newWriter),
		turns("TLS handshake, with one line, on one processor", "TLS echo", true, newGreeters),
		{
			name:     fmt.Sprintf("%d idle TLS connections", connections),
			figures:  []string{"KiB resident each", "KiB of heap each", "goroutines"},
			entrants: []entrant{idle("ours"), idle("net")},
		},
	}
}

// chunk is what is read and written at once.
const chunk = 64 << 10

// A bulk is a connection on which a lot is read, or written. It does something once for each MiB.
type bulk struct {
	c    *tls.Conn
	move func(p []byte) (int, error)
	buf  []byte
}

func newReader(addr string) (client, error) {
	c, err := dialTLS(addr)
	if err != nil {
		return nil, err
	}
	return &bulk{c, c.Read, make([]byte, chunk)}, nil
}

func newWriter(addr string) (client, error) {
	c, err := dialTLS(addr)
	if err != nil {
		return nil, err
	}
	return &bulk{c, c.Write, make([]byte, chunk)}, nil
}

func (b *bulk) work(during time.Duration) (times float64, err error) {
	n := 0
	for end := time.Now().Add(during); time.Now().Before(end); {
		m, err := b.move(b.buf)
		if n += m; err != nil {
			return 0, err
		}
	}
	return float64(n) / (1 << 20), nil
}

func (b *bulk) close() { _ = b.c.Close() }

// greeters connect to a server again and again, several at the same time.
type greeters struct{ addr string }

func newGreeters(addr string) (client, error) { return greeters{addr}, nil }

func (g greeters) work(during time.Duration) (times float64, err error) {
	const clients = 4
	counts, errs := make([]int, clients), make([]error, clients)
	end := time.Now().Add(during)
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			for time.Now().Before(end) && errs[i] == nil {
				var c net.Conn
				if c, errs[i] = greetTLS(g.addr); errs[i] == nil {
					_ = c.Close()
					counts[i]++
				}
			}
		})
	}
	all.Wait()
	for _, n := range counts {
		times += float64(n)
	}
	return times, errors.Join(errs...)
}

func (greeters) close() {}

// idleTLS returns the KiB that a server takes for each of so many connections, in memory and of the
// heap, and all its goroutines.
func idleTLS(role string, connections int) (figures []float64, err error) {
	err = withServer(role, false, func(s *server) error {
		if err := allow(connections + 100); err != nil {
			return err
		}
		c, err := greetTLS(s.addr)
		if err != nil {
			return err
		}
		defer c.Close()
		before, err := s.usage(true)
		if err != nil {
			return err
		}
		open := make([]net.Conn, 0, connections)
		defer func() {
			for _, c := range open {
				_ = c.Close()
			}
		}()
		for range connections {
			c, err := greetTLS(s.addr)
			if err != nil {
				return err
			}
			open = append(open, c)
		}
		time.Sleep(settling)
		after, err := s.usage(true)
		each := 1024 * float64(connections)
		figures = []float64{
			(float64(after.Resident) - float64(before.Resident)) / each,
			(float64(after.Heap) - float64(before.Heap)) / each,
			float64(after.Goroutines),
		}
		return err
	})
	return figures, err
}

// dialTLS returns a connection after its handshake.
func dialTLS(addr string) (*tls.Conn, error) {
	under, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	// Whoever the server is, it is a child of this process, and made its certificate itself.
	c := tls.Client(under, &tls.Config{InsecureSkipVerify: true})
	_ = c.SetDeadline(time.Now().Add(patience))
	if err := c.Handshake(); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// greetTLS returns a connection on which a line has gone to and fro, without what TLS needs of
// memory at this end. Closing it leaves no trace of it, as a port that nobody can use for a while.
func greetTLS(addr string) (net.Conn, error) {
	c, err := dialTLS(addr)
	if err != nil {
		return nil, err
	}
	under := c.NetConn()
	_ = under.(*net.TCPConn).SetLinger(0)
	back := make([]byte, len(greeting))
	if _, err = io.WriteString(c, greeting); err == nil {
		_, err = io.ReadFull(c, back)
	}
	if err == nil && string(back) != greeting {
		err = fmt.Errorf("%q comes back", back)
	}
	if err != nil {
		_ = under.Close()
		return nil, err
	}
	return under, nil
}

const greeting = "a line over TLS\r\n"

// serverTLS returns the configuration of a server.
func serverTLS() (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
	}, nil
}

// ourTLS is a server of ours that speaks TLS.
func ourTLS(listening func(addr string), opts tcp.ServerOptions) error {
	config, err := serverTLS()
	if err != nil {
		return err
	}
	opts.ClientPreConnect = func(c *tcp.Conn, s kernel.Socket) kernel.Handle {
		return wheel.NewTLS(c.Session.Kernel(), s, wheel.TLSOptions{Config: config, Server: true})
	}
	return ourServer(listening, opts)
}

// netTLS is a server on crypto/tls.
func netTLS(listening func(addr string), f func(c net.Conn)) error {
	config, err := serverTLS()
	if err != nil {
		return err
	}
	return netServe(listening, func(c net.Conn) {
		over := tls.Server(c, config)
		defer over.Close() // which says goodbye, as ours does
		f(over)
	})
}

func ourTLSEcho(listening func(addr string)) error {
	return ourTLS(listening, tcp.ServerOptions{ClientInput: sendBack})
}

func netTLSEcho(listening func(addr string)) error { return netTLS(listening, sendLinesBack) }

// ourSource sends as much as the client takes.
func ourSource(listening func(addr string)) error {
	buf := make([]byte, chunk)
	more := func(c *tcp.Conn) {
		for !c.Wheel().High() && c.Put(buf) == nil {
		}
	}
	return ourTLS(listening, tcp.ServerOptions{
		ClientInput:     func(*tcp.Conn, *wheel.Input) {},
		ClientFilter:    filter.NewStream(filter.StreamOptions{}),
		ClientConnected: more,
		ClientLow:       more,
		HighMark:        4 * chunk,
		LowMark:         chunk,
	})
}

func netSource(listening func(addr string)) error {
	return netTLS(listening, func(c net.Conn) {
		buf := make([]byte, chunk)
		for {
			if _, err := c.Write(buf); err != nil {
				return
			}
		}
	})
}

// ourSink takes all that comes.
func ourSink(listening func(addr string)) error {
	return ourTLS(listening, tcp.ServerOptions{
		ClientInput:  func(*tcp.Conn, *wheel.Input) {},
		ClientFilter: filter.NewStream(filter.StreamOptions{}),
	})
}

func netSink(listening func(addr string)) error {
	return netTLS(listening, func(c net.Conn) {
		buf := make([]byte, chunk)
		for {
			if _, err := c.Read(buf); err != nil {
				return
			}
		}
	})
}
