package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A testServer is a small server that does what a test asks for.
type testServer struct {
	network  string            // "tcp" unless set
	lmtp     bool              // a reply for each recipient
	tls      *tls.Config       // offers STARTTLS
	implicit bool              // or rather begins with TLS
	auth     string            // the response of AUTH PLAIN, in base64, that is right
	offers   []string          // besides
	replies  map[string]string // by the beginning of the command; "." is the end of the text
	held     chan struct{}     // gets one for each text, whose reply waits for release
	release  chan struct{}

	addr     string
	mu       sync.Mutex
	commands []string
	texts    []string
	conns    int
}

// start lets it listen, until the test ends.
func (s *testServer) start(t *testing.T) *testServer {
	t.Helper()
	where := "127.0.0.1:0"
	if s.network == "" {
		s.network = "tcp"
	} else {
		where = filepath.Join(t.TempDir(), "socket")
	}
	l, err := net.Listen(s.network, where)
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	var all sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns++
			s.mu.Unlock()
			all.Go(func() { s.serve(conn) })
		}
	})
	return s
}

// serve talks to one client.
func (s *testServer) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	if s.implicit {
		conn = tls.Server(conn, s.tls)
	}
	in := bufio.NewReader(conn)
	say := func(line string) { _, _ = conn.Write([]byte(line + "\r\n")) }
	recipients := 0
	say("220 test ESMTP")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		verb := strings.ToUpper(strings.Fields(line + " -")[0])
		s.note(line)
		if reply, ok := s.reply(line); ok {
			say(reply)
			continue
		}
		switch verb {
		case "EHLO", "LHLO":
			say("250-test\r\n" + s.offer(conn) + "250 ENHANCEDSTATUSCODES")
		case "STARTTLS":
			say("220 go on")
			conn = tls.Server(conn, s.tls)
			in = bufio.NewReader(conn)
		case "AUTH":
			if strings.HasSuffix(line, " "+s.auth) {
				say("235 2.7.0 welcome")
			} else {
				say("535 5.7.8 wrong user or password")
			}
		case "RCPT":
			recipients++
			say("250 2.1.5 ok")
		case "DATA":
			say("354 go on")
			if !s.text(in) {
				return
			}
			last, ok := s.reply(".")
			if !ok {
				last = "250 2.0.0 queued as Q1"
			}
			say(last)
			for s.lmtp && recipients > 1 {
				recipients--
				say(last)
			}
			recipients = 0
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 2.0.0 ok")
		}
	}
}

// text takes one text.
func (s *testServer) text(in *bufio.Reader) bool {
	var text strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
		text.WriteString(strings.TrimPrefix(line, "."))
	}
	s.mu.Lock()
	s.texts = append(s.texts, text.String())
	s.mu.Unlock()
	if s.held != nil {
		s.held <- struct{}{}
		<-s.release
	}
	return true
}

func (s *testServer) offer(conn net.Conn) string {
	var b strings.Builder
	for _, o := range s.offers {
		b.WriteString("250-" + o + "\r\n")
	}
	if _, secure := conn.(*tls.Conn); s.tls != nil && !secure {
		b.WriteString("250-STARTTLS\r\n")
	}
	if s.auth != "" {
		b.WriteString("250-AUTH PLAIN\r\n")
	}
	return b.String()
}

func (s *testServer) note(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commands = append(s.commands, line)
}

// reply returns what the test wants for a command. One that ends with a bar is for the first time
// only.
func (s *testServer) reply(line string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for prefix, reply := range s.replies {
		if strings.HasPrefix(line, prefix) {
			if once, ok := strings.CutSuffix(reply, "|"); ok {
				delete(s.replies, prefix)
				reply = once
			}
			return reply, true
		}
	}
	return "", false
}

// got reports whether a command has come.
func (s *testServer) got(command string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.commands, command)
}

// received returns the texts, sorted.
func (s *testServer) received() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(slices.Values(s.texts))
}

// A testIdentity is a certificate for "localhost" and "client", in files, that signs itself.
type testIdentity struct {
	cert, key string // the files
	pair      tls.Certificate
}

func newTestIdentity(t *testing.T) testIdentity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0), IsCA: true,
		BasicConstraintsValid: true, DNSNames: []string{"localhost", "client"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	id := testIdentity{
		cert: writeFile(t, "cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		key:  writeFile(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})),
		pair: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
	}
	return id
}

// writeFile writes a file that only its owner can read, in a folder of its own.
func writeFile(t *testing.T, name string, text []byte) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// leaf returns the certificate.
func (id testIdentity) leaf(t *testing.T) *x509.Certificate {
	t.Helper()
	cert, err := x509.ParseCertificate(id.pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// decode decodes base64 in lines.
func decode(t *testing.T, text string) []byte {
	t.Helper()
	plain, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		t.Fatal(err)
	}
	return plain
}
