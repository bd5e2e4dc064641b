package wheel_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// Types of records.
const (
	typeHandshake       = 22
	typeApplicationData = 23
)

// secret finds a secret in what a Config's KeyLogWriter was given.
func secret(t testing.TB, log *bytes.Buffer, label string) (random, secret []byte) {
	t.Helper()
	for line := range strings.Lines(log.String()) {
		f := strings.Fields(line)
		if len(f) != 3 || f[0] != label {
			continue
		}
		random, err1 := hex.DecodeString(f[1])
		secret, err2 := hex.DecodeString(f[2])
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		return random, secret
	}
	t.Fatalf("no %s in %q", label, log)
	return nil, nil
}

// A writer13 encrypts records as TLS_AES_128_GCM_SHA256 of TLS 1.3 has it, for what crypto/tls does
// not do of its own accord.
type writer13 struct {
	testing.TB
	secret []byte
	seq    uint64
}

// label is HKDF-Expand-Label (RFC 8446, section 7.1) without a context.
func (w *writer13) label(label string, n int) []byte {
	info := binary.BigEndian.AppendUint16(nil, uint16(n))
	label = "tls13 " + label
	info = append(info, byte(len(label)))
	info = append(info, label...)
	info = append(info, 0)
	out, err := hkdf.Expand(sha256.New, w.secret, string(info), n)
	if err != nil {
		w.Fatal(err)
	}
	return out
}

// record returns the next record.
func (w *writer13) record(typ byte, data string) []byte {
	nonce := w.label("iv", 12)
	for i := range 8 {
		nonce[4+i] ^= byte(w.seq >> (56 - 8*i))
	}
	w.seq++
	header := []byte{typeApplicationData, 3, 3, 0, 0}
	binary.BigEndian.PutUint16(header[3:], uint16(len(data)+1+16))
	return gcm(w, w.label("key", 16)).Seal(header, nonce, append([]byte(data), typ), header)
}

// keyUpdate returns a record that asks for new keys, and goes on with such.
func (w *writer13) keyUpdate() []byte {
	r := w.record(typeHandshake, "\x18\x00\x00\x01\x01")
	w.secret, w.seq = w.label("traffic upd", sha256.Size), 0
	return r
}

func gcm(t testing.TB, key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return aead
}

// forging returns the two ends of a TLS 1.3, and what writes records in the client's name.
func forging(t *testing.T, near, far kernel.Handle) (client, server *wheel.TLS, w *writer13) {
	t.Helper()
	p := simulated(t, sim.Options{})
	forServer, forClient := configs(t, tls.VersionTLS13)
	var log bytes.Buffer
	forClient.KeyLogWriter = &log
	client = wheel.NewTLS(p.k, near, wheel.TLSOptions{Config: forClient})
	server = wheel.NewTLS(p.k, far, wheel.TLSOptions{Config: forServer, Server: true})
	shakeHands(t, client, server)
	if id := client.ConnectionState().CipherSuite; id != tls.TLS_AES_128_GCM_SHA256 {
		t.Skip("this machine prefers", tls.CipherSuiteName(id))
	}
	w = &writer13{TB: t}
	_, w.secret = secret(t, &log, "CLIENT_TRAFFIC_SECRET_0")
	return client, server, w
}

// New keys are a matter of the layer. The answer that they ask for goes ahead of what is written.
func TestTLSKeyUpdate(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	client, server, w := forging(t, near, far)
	for _, r := range [][]byte{
		w.record(typeApplicationData, "one "), w.keyUpdate(),
		w.record(typeApplicationData, "two "), w.keyUpdate(), w.keyUpdate(),
		w.record(typeApplicationData, "three"),
	} {
		p.write(near, string(r))
	}
	p.note("%s", p.read(server))
	p.write(server, "answer")
	p.note("%s", p.read(client))
	p.want("one two three", "answer")
	client.Close()
	server.Close()
}

// An end that was shut down has no answer to send, and goes on reading with the new keys.
func TestTLSKeyUpdateAfterCloseWrite(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	client, server, w := forging(t, near, far)
	if err := server.CloseWrite(); err != nil {
		t.Error(err)
	}
	p.write(near, string(w.keyUpdate())+string(w.record(typeApplicationData, "late")))
	p.note("%s", p.read(server))
	p.note("%s", p.read(client))
	p.want("late", "EOF")
	client.Close()
	server.Close()
}

// A peer that asks for new keys for ever, and reads none of the answers, does not make memory grow.
func TestTLSKeyUpdateFlood(t *testing.T) {
	p := simulated(t, sim.Options{Buffer: 2000})
	near, far := p.pair()
	client, server, w := forging(t, near, far)
	var err error
	n := 0
	for ; n < 10_000 && err == nil; n++ {
		p.write(near, string(w.keyUpdate())+string(w.record(typeApplicationData, "x")))
		if got := p.read(server); got != "x" {
			t.Fatalf("read %q", got)
		}
		_, err = server.Advance()
	}
	if err != wheel.ErrTLSUnread {
		t.Errorf("after %d times: %v, want %v", n, err, wheel.ErrTLSUnread)
	}
	if _, err := server.Write([]byte("x")); err != wheel.ErrTLSUnread {
		t.Errorf("Write: %v, want %v", err, wheel.ErrTLSUnread)
	}
	p.write(near, string(w.record(typeApplicationData, "reading goes on")))
	p.note("%s", p.read(server))
	p.want("reading goes on")
	client.Close()
	server.Close()
}

// prf is the PRF of TLS 1.2 (RFC 5246, section 5).
func prf(secret []byte, label string, seed []byte, n int) []byte {
	mac := func(parts ...[]byte) []byte {
		h := hmac.New(sha256.New, secret)
		for _, p := range parts {
			h.Write(p)
		}
		return h.Sum(nil)
	}
	seed = append([]byte(label), seed...)
	var out []byte
	for a := mac(seed); len(out) < n; a = mac(a) {
		out = append(out, mac(a, seed)...)
	}
	return out[:n]
}

// A server that wants to shake hands once more is refused, and that is the end.
func TestTLSRenegotiation(t *testing.T) {
	p := simulated(t, sim.Options{})
	forServer, forClient := configs(t, tls.VersionTLS12)
	forServer.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}
	var log, flight bytes.Buffer
	forServer.KeyLogWriter = &log
	near, far := p.pair()
	tap := &handle{Handle: far}
	tap.write = func(p []byte) (int, error) {
		flight.Write(p)
		return far.Write(p)
	}
	var server *wheel.TLS
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			forServer.Time = p.k.Now
			server = wheel.NewTLS(p.k, tap,
				wheel.TLSOptions{Config: forServer, Server: true})
			w := p.readWrite(e.Session, p.secure(near, forClient, false))
			e.Session.State("error", func(e *kernel.Event) {
				p.failed(e)
				w.Close()
				server.Close()
			})
			e.Session.Yield("shake hands")
		},
		"shake hands": func(e *kernel.Event) {
			if wants, err := server.Advance(); wants != 0 || err != nil {
				e.Session.Delay("shake hands", tick)
			}
		},
		"secured": func(*kernel.Event) {
			clientRandom, master := secret(t, &log, "CLIENT_RANDOM")
			serverRandom := flight.Bytes()[11:43] // of the first message
			keys := prf(master, "key expansion", append(serverRandom, clientRandom...), 40)
			const seq = "\x00\x00\x00\x00\x00\x00\x00\x01" // after Finished
			helloRequest := []byte{0, 0, 0, 0}
			sealed := gcm(t, keys[16:32]).Seal(nil, append(keys[36:40:40], seq...), helloRequest,
				[]byte(seq+"\x16\x03\x03\x00\x04"))
			p.write(far, "\x16\x03\x03\x00\x1c"+seq+string(sealed))
		},
	})
	p.run()
	p.want("error read: local error: tls: no renegotiation")
}

// A record may be cut anywhere.
func TestTLSRecordInPieces(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		p := simulated(t, sim.Options{})
		near, far := p.pair()
		tap := &handle{Handle: far}
		client, server := tlsPair(t, p.k, near, tap, version)
		p.note("%s", p.read(client)) // tickets
		var record []byte
		tap.write = func(p []byte) (int, error) {
			record = append(record, p...)
			return len(p), nil
		}
		const text = "one record"
		length := 1
		for at := 0; at < length; at++ {
			record = record[:0]
			p.write(server, text)
			length = len(record)
			p.write(far, string(record[:at]))
			if n, err := client.Read(make([]byte, 100)); n != 0 || err != kernel.ErrAgain {
				t.Errorf("%d bytes of a record: read %d, %v", at, n, err)
			}
			p.write(far, string(record[at:]))
			if got := p.read(client); got != text {
				t.Errorf("in pieces of %d and %d bytes: read %q", at, length-at, got)
			}
		}
		if length <= len(text) {
			t.Errorf("the record has %d bytes", length)
		}
		p.want("")
		client.Close()
		server.Close()
	})
}

// Whatever a peer sends, the owner hears of one thing that went wrong, and of no line.
func FuzzTLS(f *testing.F) {
	for _, seed := range []string{
		"",
		"EHLO example.org\r\n",
		"\x16",
		"\x16\x03\x01\x00\x04\x01\x00\x00\x00",
		"\x16\x03\x01\xff\xff",
		"\x16\x03\x03\x00\x00\x16\x03\x03\x00\x00",
		"\x15\x03\x03\x00\x02\x01\x00", // close_notify
		"\x15\x03\x03\x00\x02\x02\x28", // a fatal alert
		"\x17\x03\x03\x00\x20" + strings.Repeat("x", 32),
		"\x14\x03\x03\x00\x01\x01" + "\x17\x03\x03\x00\x01x",
		"\x80\x2e\x01\x00\x02\x00\x15", // SSL 2
		strings.Repeat("\x14\x03\x03\x00\x01\x01", 20),
		strings.Repeat("\x15\x03\x03\x00\x02\x01\x5a", 20),
	} {
		for mode := range byte(6) {
			f.Add([]byte(seed), mode)
		}
	}
	forServer, forClient := configs(f, 0)
	forOldServer, forOldClient := configs(f, tls.VersionTLS12)
	f.Fuzz(func(t *testing.T, garbage []byte, mode byte) {
		p := simulated(t, sim.Options{Seed: uint64(mode), Faults: sim.Faults{Split: 0.5}})
		server, secured, old := mode&1 != 0, mode&2 != 0, mode&4 != 0
		mine, peers := forServer, forClient
		if old {
			mine, peers = forOldServer, forOldClient
		}
		if !server {
			mine, peers = peers, mine
		}
		mine, peers = mine.Clone(), peers.Clone()
		peers.Time = p.k.Now
		near, far := p.pair()
		peer := wheel.NewTLS(p.k, far, wheel.TLSOptions{Config: peers, Server: !server})
		attack := func() {
			for len(garbage) > 0 {
				n, err := far.Write(garbage)
				garbage = garbage[n:]
				if err != nil {
					break
				}
			}
			far.Close()
		}
		op := "handshake"
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				w := p.readWrite(e.Session, p.secure(near, mine, server))
				w.PutString("nobody is to read this")
				e.Session.State("error", session.On(func(e *kernel.Event, err *wheel.Error) {
					p.note("%s", err.Op)
					e.Session.Delay("over", tick) // when all errors have come
				}))
				e.Session.State("over", func(*kernel.Event) { w.Close() })
				e.Session.Delay("peer", tick)
			},
			"peer": func(e *kernel.Event) {
				if !secured {
					attack()
					peer.Close()
					return
				}
				wants, err := peer.Advance()
				if err != nil {
					t.Fatal(err)
				}
				if wants != 0 {
					e.Session.Delay("peer", tick)
					return
				}
				e.Session.Delay("attack", tick)
			},
			"attack": func(e *kernel.Event) {
				op = "read"
				attack()
				peer.Close()
			},
			"secured": func(*kernel.Event) {}, "flushed": func(*kernel.Event) {},
			"line": p.input,
		})
		p.run()
		p.want(op)
	})
}
