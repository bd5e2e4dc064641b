package client

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"math/big"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/go-poe/poe/filter"
)

// The keys of the tests, by the name of their algorithm.
var (
	rsaKey = sync.OnceValue(func() crypto.Signer {
		key, err := rsa.GenerateKey(rand.Reader, 1024)
		if err != nil {
			panic(err)
		}
		return key
	})
	edKey = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
)

// signedBy returns a DKIM with a key.
func signedBy(key crypto.Signer) *DKIM {
	return &DKIM{Domain: "example.com", Selector: "sel._dk", Key: key}
}

// txt returns a resolver that knows the key of k, and nothing else.
func txt(t *testing.T, k *DKIM) func(string) ([]string, error) {
	t.Helper()
	domain, err := asciiHost(k.Domain)
	if err != nil {
		t.Fatal(err)
	}
	var record string
	switch public := k.Key.Public().(type) {
	case ed25519.PublicKey:
		record = "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)
	default:
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			t.Fatal(err)
		}
		record = "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)
	}
	return func(name string) ([]string, error) {
		if name != k.Selector+"._domainkey."+domain {
			return nil, errors.New("no such name: " + name)
		}
		return []string{record}, nil
	}
}

// onWire returns what goes out of a source with this in front of it.
func onWire(t *testing.T, header string, s *source) string {
	t.Helper()
	text, err := readAll(s, 1000)
	if err != nil {
		t.Fatal(err)
	}
	encoder := filter.MessageEncoder{NoDots: true}
	return string(encoder.Finish(encoder.Append(encoder.Append(nil, []byte(header)), []byte(text))))
}

// verified returns what is wrong with the only signature of a message.
func verified(t *testing.T, k *DKIM, message string) (*dkim.Verification, error) {
	t.Helper()
	if !strings.Contains(message, "\r\n\r\n") {
		message += "\r\n" // a message that is all header; the verifier wants to see its end
	}
	all, err := dkim.VerifyWithOptions(strings.NewReader(message), &dkim.VerifyOptions{
		LookupTXT: txt(t, k),
	})
	if err != nil {
		return nil, err
	}
	if len(all) != 1 {
		t.Fatalf("%d signatures", len(all))
	}
	return all[0], all[0].Err
}

// texts are messages whose newlines and white space are of all sorts.
var texts = map[string]string{
	"right":              "From: a@example.com\r\nSubject: x\r\n\r\nhello\r\n",
	"bare LF":            "From: a@example.com\nSubject: x\n\nhello\n\nyou\n",
	"bare CR":            "From: a@example.com\rSubject: x\r\rhello\r\ryou\r",
	"mixed":              "From: a@example.com\nSubject: x\r\n\rhello\n\rthere\r\r\nyou\n\n\n",
	"last line cut":      "From: a@example.com\r\n\r\nhello",
	"last line CR":       "From: a@example.com\r\n\r\nhello\r",
	"no body":            "From: a@example.com\r\n\r\n",
	"all header":         "From: a@example.com\r\nSubject: x\r\n",
	"all header, cut":    "From: a@example.com\r\nSubject: x",
	"empty lines at end": "From: a@example.com\n\nhello\n \n\t\n\n\n",
	"empty lines only":   "From: a@example.com\n\n\n \n\n",
	"dots":               "From: a@example.com\n\n.\n..\n.dot\n.",
	"folded": "from: a@example.com\n (A)\n\t(B)\nTo : b@example.com,\n c@example.com \n" +
		"SUBJECT:  many   blanks\t \n \n\n body  text \t here \n",
	"8-bit": "From: a@example.com\nSubject: \xc3\xbc\xff\n\n\xc3\xbc\x00\xff\xfe\n",
	"two of a kind": "Resent-From: a@example.com\nResent-From: b@example.com\n" +
		"From: a@example.com\n\nhello\n",
	"long lines": "From: a@example.com\nSubject: " + strings.Repeat("x", 5000) + "\n\n" +
		strings.Repeat("y", 5000),
	"long": "From: a@example.com\nReferences: <1@example.com>\n" +
		strings.Repeat(" <2@example.com>\n", 1000) + "\n" +
		strings.Repeat("line\n\n .\r\r\n", 13_000),
}

// What is sent is what was signed, wherever the text comes from and whatever its newlines are.
func TestDKIM(t *testing.T) {
	for name, text := range texts {
		for _, kind := range kinds() {
			if len(text) > 100_000 && strings.Contains(kind.name, "an octet at a time") {
				continue // that takes long, and shows nothing new
			}
			t.Run(name+"/"+kind.name, func(t *testing.T) {
				t.Setenv("TMPDIR", t.TempDir())
				var m Message
				kind.set(t, &m, text)
				s := open(t, &m)
				k := signedBy(edKey)
				header, err := k.sign(t.Context(), s)
				if err != nil {
					t.Fatal(err)
				}
				message := onWire(t, string(header), s)
				if _, err := verified(t, k, message); err != nil {
					t.Errorf("%v\n%.1000q", err, message)
				}
				if err := s.rewind(); err != nil {
					t.Fatal(err)
				}
				if again := onWire(t, string(header), s); again != message {
					t.Errorf("the second time it is\n%.1000q, and not\n%.1000q", again, message)
				}
				if length, ok := s.size(); !ok || length != int64(len(text)) {
					t.Errorf("the size is %d %v, and the text has %d", length, ok, len(text))
				}
			})
		}
	}
}

// sign signs a text in memory, and returns the message as it is sent.
func sign(t *testing.T, k *DKIM, text string) string {
	t.Helper()
	s := open(t, &Message{Body: []byte(text)})
	header, err := k.sign(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return onWire(t, string(header), s)
}

func TestDKIMKeysAndNames(t *testing.T) {
	const text = "From: a@example.com\nSubject: x\n\nhello\n"
	for _, c := range []struct {
		name     string
		k        *DKIM
		domain   string
		identity string
	}{
		{"RSA", signedBy(rsaKey()), "example.com", "@example.com"},
		{"Ed25519", signedBy(edKey), "example.com", "@example.com"},
		{"identity", &DKIM{Domain: "example.com", Selector: "s", Key: edKey,
			Identity: "a+b@sub.example.com"}, "example.com", "a+b@sub.example.com"},
		{"other script", &DKIM{Domain: "b\u00fccher.example", Selector: "s", Key: edKey},
			"xn--bcher-kva.example", "@xn--bcher-kva.example"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.k.check(); err != nil {
				t.Fatal(err)
			}
			v, err := verified(t, c.k, sign(t, c.k, text))
			if err != nil {
				t.Fatal(err)
			}
			if v.Domain != c.domain || v.Identifier != c.identity {
				t.Errorf("d=%s i=%s, want %s %s", v.Domain, v.Identifier, c.domain, c.identity)
			}
		})
	}
}

// By default, the fields that RFC 6376 recommends are signed, as often as they are there, and From
// once more.
func TestDKIMFields(t *testing.T) {
	const text = "Received: x\nX-Other: x\nTo: b@example.com\nfrom: a@example.com\n" +
		"Resent-From: c@example.com\nRESENT-FROM: d@example.com\nSubject: x\n" +
		"List-Unsubscribe: <https://example.com/>\n" +
		"List-Unsubscribe-Post: List-Unsubscribe=One-Click\n\nhello\n"
	k := signedBy(edKey)
	message := sign(t, k, text)
	v, err := verified(t, k, message)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"From", "From", "Subject", "To", "Resent-From", "Resent-From",
		"List-Unsubscribe", "List-Unsubscribe-Post"}
	if !slices.Equal(v.HeaderKeys, want) {
		t.Errorf("signed are %q, want %q", v.HeaderKeys, want)
	}
	if _, err := verified(t, k, "From: evil@example.org\r\n"+message); err == nil {
		t.Error("another From does no harm to the signature")
	}
	if _, err := verified(t, k, "Received: from somewhere\r\n"+message); err != nil {
		t.Errorf("a Received harms it: %v", err)
	}
	changed := strings.Replace(message, "hello", "hell0", 1)
	if _, err := verified(t, k, changed); err == nil {
		t.Error("another body does no harm to the signature")
	}

	k.Headers = []string{"from", "X-Other", "Reply-To"}
	message = sign(t, k, text)
	if v, err = verified(t, k, message); err != nil || !slices.Equal(v.HeaderKeys, k.Headers) {
		t.Errorf("signed are %q %v, want %q", v.HeaderKeys, err, k.Headers)
	}
	if _, err := verified(t, k, "Reply-To: evil@example.org\r\n"+message); err == nil {
		t.Error("a Reply-To that was signed as missing does no harm to the signature")
	}
}

// A signature that cannot be made says why, and leaves nothing behind.
func TestDKIMErrors(t *testing.T) {
	boom := errors.New("boom")
	const (
		header = "From: a@example.com\n"
		crlf   = "From: a@example.com\r\n\r\n"
		noFrom = "Subject: x\n\nFrom: a@example.com\n"
		mbox   = "From a@example.com Sun Nov 22 03:32:05 2026"
	)
	breaksOff := io.MultiReader(strings.NewReader(header+"\nx\n"), iotest.ErrReader(boom))
	for _, c := range []struct {
		name string
		m    Message
		k    *DKIM // nil means a good one
		want string
	}{
		{name: "nothing at all", want: errDKIMNoFrom.Error()},
		{name: "no From", m: Message{Body: []byte(noFrom)},
			want: errDKIMNoFrom.Error()},
		{name: "no header", m: Message{Body: []byte("\nFrom: a@example.com\n\n")},
			want: errDKIMNoFrom.Error()},
		{name: "no field", m: Message{Body: []byte(header + "hello there\n\nbody\n")},
			want: `smtp client: DKIM: the header has a line that is no field: "hello there"`},
		{name: "the envelope line of a mailbox",
			m:    Message{Body: []byte(mbox + "\n" + header + "\n")},
			want: `smtp client: DKIM: the header has a line that is no field: "` + mbox + `"`},
		{name: "a folded line first", m: Message{Body: []byte(" x\n" + header + "\nbody\n")},
			want: `smtp client: DKIM: the header has a line that is no field: " x"`},
		{name: "a long line that is no field",
			m: Message{Body: []byte(header + strings.Repeat("x", 1000) + "\n\n")},
			want: `smtp client: DKIM: the header has a line that is no field: "` +
				strings.Repeat("x", maxQuoted) + `"`},
		{name: "a header without end",
			m:    Message{FileHandle: &endless{start: header + "Subject: x", text: []byte(" x\n")}},
			want: errDKIMHeader.Error()},
		{name: "a field without end",
			m:    Message{FileHandle: &endless{start: header + "Subject: x", text: []byte("x")}},
			want: errDKIMHeader.Error()},
		{name: "a header that is too long",
			m:    Message{Body: []byte(header + strings.Repeat("A: b\n", maxSignedHeader/6))},
			want: errDKIMHeader.Error()},
		{name: "empty lines without end",
			m:    Message{FileHandle: &endless{start: header + "\nx", text: []byte("\n \t")}},
			want: errDKIMBlank.Error()},
		{name: "empty lines within",
			m:    Message{Body: []byte(header + "\nx" + strings.Repeat("\n", maxBlank/2+1) + "x")},
			want: errDKIMBlank.Error()},
		{name: "too many of a kind",
			m:    Message{Body: []byte(header + strings.Repeat("To: a\n", 500) + "\nx\n")},
			want: errDKIMLine.Error()},
		{name: "Compat", m: Message{Compat: true, Body: []byte(header)},
			want: errDKIMCompat.Error()},
		{name: "Binary with a bare LF", m: Message{Binary: true, Body: []byte(crlf + "x\ny")},
			want: errDKIMBinary.Error()},
		{name: "Binary with a bare CR", m: Message{Binary: true, Body: []byte(crlf + "x\r")},
			want: errDKIMBinary.Error()},
		{name: "a text that breaks off", m: Message{FileHandle: breaksOff}, want: "boom"},
		{name: "a text that panics", m: Message{Source: writerTo(func(w io.Writer) error {
			io.WriteString(w, header+"\nx\n")
			panic(boom)
		})}, want: "smtp client: panic in WriteTo: boom"},
		{name: "a key that fails", m: Message{Body: []byte(header)},
			k:    signedBy(key{edKey, func() error { return boom }}),
			want: "smtp client: DKIM: boom"},
		{name: "a key that panics", m: Message{Body: []byte(header + "\nx\n")},
			k:    signedBy(key{edKey, func() error { panic(boom) }}),
			want: "smtp client: DKIM: panic in Key: boom"},
	} {
		t.Run(c.name, func(t *testing.T) {
			temp := t.TempDir()
			t.Setenv("TMPDIR", temp)
			k := c.k
			if k == nil {
				k = signedBy(key{edKey, func() error {
					t.Error("the key was asked")
					return boom
				}})
				if c.want == errDKIMLine.Error() {
					k.Key = edKey
				}
			}
			s := open(t, &c.m)
			got, err := k.sign(t.Context(), s)
			if got != nil || err == nil || err.Error() != c.want {
				t.Errorf("got %q %v, want %s", got, err, c.want)
			}
			wantEmpty(t, temp)
		})
	}
}

// wantEmpty checks that nothing is in a folder.
func wantEmpty(t *testing.T, folder string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v %v", entries, err)
	}
}

// An endless reader has a beginning only.
type endless struct {
	start string
	text  []byte
}

func (r *endless) Read(p []byte) (int, error) {
	n := copy(p, r.start)
	r.start = r.start[n:]
	for len(r.text) > 0 && n < len(p) {
		n += copy(p[n:], r.text)
	}
	return n, nil
}

// A key asks before it signs.
type key struct {
	crypto.Signer
	ask func() error
}

func (k key) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if err := k.ask(); err != nil {
		return nil, err
	}
	return k.Signer.Sign(r, digest, opts)
}

// Empty lines as many as are allowed are signed, within a text and at its end.
func TestDKIMBlankLines(t *testing.T) {
	k := signedBy(edKey)
	lines := strings.Repeat("\r\n", maxBlank/2-100)
	message := sign(t, k, "From: a@example.com\n\nx"+lines+"x"+lines)
	if _, err := verified(t, k, message); err != nil {
		t.Error(err)
	}
}

// A binary text whose lines end in CR LF is signed, and arrives as it is.
func TestDKIMBinary(t *testing.T) {
	const text = "From: a@example.com\r\n\r\nhello\r\nno end"
	for _, m := range []*Message{
		{Binary: true, Body: []byte(text)},
		{Binary: true, FileHandle: &byteByByte{text}}, // cut between CR and LF
	} {
		k := signedBy(edKey)
		s := open(t, m)
		header, err := k.sign(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		got, err := readAll(s, 100)
		if got != text || err != nil {
			t.Errorf("got %q %v", got, err)
		}
		if _, err := verified(t, k, string(header)+got); err != nil {
			t.Error(err)
		}
	}
}

type byteByByte struct{ rest string }

func (r *byteByByte) Read(p []byte) (int, error) {
	if r.rest == "" {
		return 0, io.EOF
	}
	n := copy(p[:1], r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// A text that writes itself may have something else in it each time. What is sent is what was
// signed.
func TestDKIMKeepsWhatItSigned(t *testing.T) {
	for _, length := range []int{10, 2 * spoolMemory} {
		temp := t.TempDir()
		t.Setenv("TMPDIR", temp)
		times := 0
		s := open(t, &Message{Source: writerTo(func(w io.Writer) error {
			times++
			_, err := io.WriteString(w, "From: a@example.com\n\n"+
				strings.Repeat("x", length)+strings.Repeat("y", times))
			return err
		})})
		k := signedBy(edKey)
		header, err := k.sign(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := verified(t, k, onWire(t, string(header), s)); err != nil {
				t.Errorf("%d octets: %v", length, err)
			}
			if err := s.rewind(); err != nil {
				t.Fatal(err)
			}
		}
		if times != 1 {
			t.Errorf("it was written %d times", times)
		}
		if s.inMemory() != (length == 10) {
			t.Errorf("%d octets are in memory: %v", length, s.inMemory())
		}
		s.close()
		wantEmpty(t, temp)
	}
}

// A disk that cannot take the text makes a clear error.
func TestDKIMNoTemporaryFile(t *testing.T) {
	missing := t.TempDir() + "/missing"
	t.Setenv("TMPDIR", missing)
	s := open(t, &Message{FileHandle: &byteByByte{"From: a@example.com\n\n" +
		strings.Repeat("x", 2*spoolMemory)}})
	_, err := signedBy(edKey).sign(t.Context(), s)
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("got %v", err)
	}
}

// A signature that nobody waits for any more is given up at the next piece.
func TestDKIMCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	reads := 0
	s := open(t, &Message{FileHandle: readerFunc(func(p []byte) (int, error) {
		switch reads++; reads {
		case 1:
			return copy(p, "From: a@example.com\n\n"), nil
		case 3:
			cancel()
		}
		return copy(p, "text\n"), nil
	})})
	k := signedBy(key{edKey, func() error {
		t.Error("the key was asked")
		return nil
	}})
	if _, err := k.sign(ctx, s); !errors.Is(err, context.Canceled) || reads != 3 {
		t.Errorf("got %v after %d reads", err, reads)
	}
}

func TestDKIMCheck(t *testing.T) {
	good := func() *DKIM { return signedBy(edKey) }
	for _, c := range []struct {
		name string
		set  func(k *DKIM)
		want string // in the error; "" means none
	}{
		{"good", func(*DKIM) {}, ""},
		{"RSA", func(k *DKIM) { k.Key = rsaKey() }, ""},
		{"no domain", func(k *DKIM) { k.Domain = "" }, "Domain"},
		{"CR LF in the domain", func(k *DKIM) { k.Domain = "a\r\nb" }, "Domain"},
		{"tag in the domain", func(k *DKIM) { k.Domain = "a; l=0" }, "Domain"},
		{"address for a domain", func(k *DKIM) { k.Domain = "[192.0.2.1]" }, "Domain"},
		{"junk in another script", func(k *DKIM) { k.Domain = "\u00fc\u200b..example" }, "Domain"},
		{"no selector", func(k *DKIM) { k.Selector = "" }, "Selector"},
		{"tag in the selector", func(k *DKIM) { k.Selector = "a;l=0" }, "Selector"},
		{"CR LF in the selector", func(k *DKIM) { k.Selector = "a\r\nb" }, "Selector"},
		{"identity", func(k *DKIM) { k.Identity = "@example.com" }, ""},
		{"identity below", func(k *DKIM) { k.Identity = "x@a.example.com" }, ""},
		{"identity elsewhere", func(k *DKIM) { k.Identity = "x@badexample.com" }, "Identity"},
		{"identity without a domain", func(k *DKIM) { k.Identity = "example.com" }, "Identity"},
		{"tag in the identity", func(k *DKIM) { k.Identity = "a; l=0@example.com" }, "Identity"},
		{"NUL in the identity", func(k *DKIM) { k.Identity = "a\x00@example.com" }, "Identity"},
		{"CR LF in the identity", func(k *DKIM) { k.Identity = "a@x\r\n.example.com" }, "Identity"},
		{"no key", func(k *DKIM) { k.Key = nil }, "Key is missing"},
		{"nil key", func(k *DKIM) { k.Key = (*rsa.PrivateKey)(nil) }, "Key is nil"},
		{"short key", func(k *DKIM) { k.Key = edKey[:10] }, "Key has 10 octets"},
		{"weak key", func(k *DKIM) { k.Key = publicKey{weakRSA()} }, "Key has 512 bits"},
		{"unknown key", func(k *DKIM) { k.Key = publicKey{"?"} }, "neither RSA nor Ed25519"},
		{"headers", func(k *DKIM) { k.Headers = []string{"FROM", "X-1"} }, ""},
		{"headers without From", func(k *DKIM) { k.Headers = []string{"To"} }, "From"},
		{"no name", func(k *DKIM) { k.Headers = []string{"From", ""} }, "Headers"},
		{"two in one", func(k *DKIM) { k.Headers = []string{"From:To"} }, "Headers"},
		{"tag in a name", func(k *DKIM) { k.Headers = []string{"From", "a;l=0"} }, "Headers"},
		{"CR LF in a name", func(k *DKIM) { k.Headers = []string{"From", "a\r\nb"} }, "Headers"},
	} {
		k := good()
		c.set(k)
		err := k.check()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if err := (*DKIM)(nil).check(); err != nil {
		t.Errorf("nil: %v", err)
	}
}

// A publicKey is a key that cannot sign.
type publicKey struct{ public crypto.PublicKey }

func (k publicKey) Public() crypto.PublicKey { return k.public }

func (k publicKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("it cannot sign")
}

func weakRSA() *rsa.PublicKey {
	n := new(big.Int).Lsh(big.NewInt(1), 511)
	return &rsa.PublicKey{N: n, E: 65537}
}

// Whatever the text is, and however it is cut, either it is signed for what is sent, or there is an
// error. The digest of the body is that of the relaxed form, computed in another way.
func FuzzDKIM(f *testing.F) {
	for _, text := range texts {
		if len(text) < 10_000 {
			f.Add([]byte(text), 3)
		}
	}
	f.Add([]byte("From: a\r\n\r\n \t\r\n a \t b \r\n\r\n \r\n"), 1)
	f.Fuzz(func(t *testing.T, text []byte, piece int) {
		piece = max(1, min(piece, len(text)))
		rest := text
		s := open(t, &Message{FileHandle: readerFunc(func(p []byte) (int, error) {
			if len(rest) == 0 {
				return 0, io.EOF
			}
			n := copy(p, rest[:min(piece, len(rest))])
			rest = rest[n:]
			return n, nil
		})})
		k := signedBy(edKey)
		header, err := k.sign(t.Context(), s)
		if err != nil {
			return
		}
		message := onWire(t, string(header), s)
		if _, err := verified(t, k, message); err != nil {
			t.Errorf("%v\n%q", err, message)
		}
		_, body, _ := strings.Cut(message, "\r\n\r\n")
		digest := sha256.Sum256([]byte(relaxed(body)))
		bh := base64.StdEncoding.EncodeToString(digest[:])
		if got := bodyHash.FindStringSubmatch(string(header)); got == nil || got[1] != bh {
			t.Errorf("bh=%q, want %s", got, bh)
		}
		for line := range strings.SplitSeq(string(header), "\r\n") {
			if len(line) > maxTextLine || strings.ContainsAny(line, "\r\n") {
				t.Errorf("line %q", line)
			}
		}
	})
}

var (
	bodyHash = regexp.MustCompile(`\bbh=([^;]*);`)
	blanks   = regexp.MustCompile(`[ \t]+`)
	atEnd    = regexp.MustCompile(` ?\r\n`)
)

// relaxed is the form of a body that is signed: RFC 6376, section 3.4.4.
func relaxed(body string) string {
	body = atEnd.ReplaceAllString(blanks.ReplaceAllString(body, " "), "\r\n")
	for strings.HasSuffix(body, "\r\n\r\n") {
		body = strings.TrimSuffix(body, "\r\n")
	}
	if body == "\r\n" {
		return ""
	}
	return body
}

func BenchmarkDKIM(b *testing.B) {
	text := []byte("From: a@example.com\r\nSubject: x\r\n\r\n" +
		strings.Repeat(strings.Repeat("x", 76)+"\r\n", 10<<20/78))
	k := signedBy(edKey)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		s, _ := openSource(&Message{Body: text})
		if _, err := k.sign(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
}
