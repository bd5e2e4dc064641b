package client

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/filter"
)

// DKIM is how a message is signed: RFC 6376, with SHA-256 and the relaxed forms of header and body.
// The header of such a message must be well formed, and have a From. Domain, Selector and Key have
// no default.
type DKIM struct {
	Domain   string        // of the signature: d=
	Selector string        // of the key: s=
	Key      crypto.Signer // RSA of 1024 bits or more, or Ed25519; used on another goroutine
	Identity string        // i=; empty means none

	// Headers are the names of the fields that are signed, From among them: one instance for each
	// time that a name is listed, the last in the header first. To list a name once more than the
	// header has it keeps others from adding one (RFC 6376, section 5.4.2).
	//
	// None means all instances of those that RFC 6376, section 5.4.1, recommends, and those of
	// List-Unsubscribe-Post (RFC 8058); no From can be added then.
	Headers []string
}

const (
	minRSABits = 1024 // RFC 8301, section 3.2

	// maxSignedHeader is how long, in octets, the header of a message may be that is signed, and
	// maxBlank how many octets of empty lines it may have in a row: that much is held in memory.
	maxSignedHeader = 1 << 20
	maxBlank        = 1 << 20
)

// What is wrong with a text, or its Message, that cannot be signed.
var (
	errDKIMCompat = errors.New("smtp client: DKIM and Compat exclude each other")
	errDKIMBinary = fmt.Errorf("smtp client: DKIM of a binary text: %w", filter.ErrBareNewline)
	errDKIMHeader = fmt.Errorf("smtp client: DKIM: the header is longer than %d octets",
		maxSignedHeader)
	errDKIMBlank = fmt.Errorf("smtp client: DKIM: more than %d octets of empty lines in a row",
		maxBlank)
	errDKIMNoFrom = errors.New("smtp client: DKIM: the header has no From")
	errDKIMLine   = errors.New("smtp client: DKIM: the signed fields' names make too long a line")
	errDKIMCut    = errors.New("smtp client: DKIM: the text is cut off")
)

// signedFields are the fields that are signed if nobody says otherwise. The first is From.
var signedFields = []string{
	"From", "Reply-To", "Subject", "Date", "To", "Cc",
	"Resent-Date", "Resent-From", "Resent-To", "Resent-Cc",
	"In-Reply-To", "References",
	"List-Id", "List-Help", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Subscribe",
	"List-Post", "List-Owner", "List-Archive",
}

// check returns what makes it impossible to sign with k. nil means that nothing is signed.
func (k *DKIM) check() error {
	if k == nil {
		return nil
	}
	domain, err := asciiHost(k.Domain)
	if err == nil {
		err = checkName(domain)
	}
	if err != nil {
		return fmt.Errorf("smtp client: DKIM: Domain: %w", err)
	}
	if err := checkName(k.Selector); err != nil {
		return fmt.Errorf("smtp client: DKIM: Selector: %w", err)
	}
	if err := k.checkIdentity(domain); err != nil {
		return err
	}
	if err := checkKey(k.Key); err != nil {
		return err
	}
	return checkFields(k.Headers)
}

// checkName returns an error unless s is a name in the DNS, in ASCII. Some selectors have
// underscores in them.
func checkName(s string) error {
	plain := strings.ReplaceAll(s, "_", "x")
	if strings.HasPrefix(s, "[") || smtp.CheckDomain(plain, false) != nil {
		return fmt.Errorf("%.*q is not a name", maxQuoted, s)
	}
	return nil
}

// checkIdentity returns an error if the identity is not one of the domain, or cannot stand in the
// signature as it is.
func (k *DKIM) checkIdentity(domain string) error {
	if k.Identity == "" {
		return nil
	}
	local, host := smtp.SplitAddress(k.Identity)
	for i := range len(local) {
		if c := local[i]; c <= ' ' || c > '~' || c == ';' || c == '=' {
			return fmt.Errorf("smtp client: DKIM: Identity %q: %q cannot be in it", k.Identity, c)
		}
	}
	if err := checkName(host); err != nil {
		return fmt.Errorf("smtp client: DKIM: Identity: %w", err)
	}
	if host != domain && !strings.HasSuffix(host, "."+domain) {
		return fmt.Errorf("smtp client: DKIM: Identity %q: it is not of %s", k.Identity, domain)
	}
	return nil
}

func checkKey(key crypto.Signer) error {
	switch key := key.(type) {
	case nil:
		return errors.New("smtp client: DKIM: Key is missing")
	case *rsa.PrivateKey:
		if key == nil {
			return errors.New("smtp client: DKIM: Key is nil")
		}
	case ed25519.PrivateKey:
		if len(key) != ed25519.PrivateKeySize {
			return fmt.Errorf("smtp client: DKIM: Key has %d octets", len(key))
		}
	}
	switch public := key.Public().(type) {
	case *rsa.PublicKey:
		if n := public.N.BitLen(); n < minRSABits {
			return fmt.Errorf("smtp client: DKIM: Key has %d bits, and not %d", n, minRSABits)
		}
	case ed25519.PublicKey:
	default:
		return fmt.Errorf("smtp client: DKIM: Key is neither RSA nor Ed25519, but %T", public)
	}
	return nil
}

// checkFields returns an error if the names of the fields to be signed cannot be such.
func checkFields(names []string) error {
	if len(names) == 0 {
		return nil
	}
	for _, name := range names {
		if !isFieldName(name) || strings.Contains(name, ";") { // which would end the list
			return fmt.Errorf("smtp client: DKIM: Headers: %q is not the name of a field", name)
		}
	}
	isFrom := func(name string) bool { return strings.EqualFold(name, "From") }
	if !slices.ContainsFunc(names, isFrom) {
		return errors.New("smtp client: DKIM: Headers: From has to be signed")
	}
	return nil
}

// isFieldName reports whether s is the name of a header field: RFC 5322, section 2.2.
func isFieldName(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' || s[i] == ':' {
			return false
		}
	}
	return s != ""
}

// sign reads the text of s, and returns the field to send before it, with its CR LF. After that, s
// is at its beginning again. A text that may not come a second time as it came is kept meanwhile,
// in memory or in a temporary file.
//
// The signature covers what is sent and not what is read: each line ends in CR LF. The context is
// asked before each piece; a Key that takes its time is waited for.
func (k *DKIM) sign(ctx context.Context, s *source) (header []byte, err error) {
	if s.compat {
		return nil, errDKIMCompat
	}
	g := &signing{k: k}
	defer g.close()
	var kept *spool
	if !s.repeats() {
		kept = new(spool)
		defer kept.close()
	}
	if err := g.read(ctx, s, kept); err != nil {
		return nil, err
	}
	if header, err = g.finish(); err != nil {
		return nil, err
	}
	if kept != nil {
		err = kept.handOver(s)
	} else {
		err = s.rewind()
	}
	return header, err
}

// A signing is one message that is being signed.
type signing struct {
	k      *DKIM
	header []byte       // as far as there is one, until it is whole
	signer *dkim.Signer // since then
	key    *dkimKey
	blank  int // octets of white space at the end of the body so far
}

// read takes all of s in, and copies it to kept, unless that is nil.
func (g *signing) read(ctx context.Context, s *source, kept *spool) error {
	encoder := filter.MessageEncoder{NoDots: true}
	var buf, out []byte
	if !s.inMemory() {
		buf = make([]byte, chunkSize)
	}
	var before, after int64
	for eof := false; !eof; {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		var p []byte
		var err error
		if p, eof, err = s.next(buf); err != nil {
			return err
		}
		if kept != nil {
			if err := kept.write(p); err != nil {
				return err
			}
		}
		out = encoder.Append(out[:0], p)
		before, after = before+int64(len(p)), after+int64(len(out))
		if err := g.write(out); err != nil {
			return err
		}
	}
	if s.binary && before != after {
		return errDKIMBinary // each bare CR or LF has become two octets
	}
	return g.write(encoder.Finish(out[:0]))
}

// write takes the next piece in, as it is on the wire.
func (g *signing) write(p []byte) error {
	if g.signer != nil {
		return g.body(p)
	}
	seen := len(g.header)
	g.header = append(g.header, p...)
	end := headerEnd(g.header, seen)
	switch {
	case end > maxSignedHeader, end < 0 && len(g.header) > maxSignedHeader:
		return errDKIMHeader
	case end < 0:
		return nil
	}
	header, body := g.header[:end], g.header[end+len("\r\n"):]
	g.header = nil
	if err := g.begin(header); err != nil {
		return err
	}
	return g.body(body)
}

// headerEnd returns where the empty line after the header begins, and -1 if it is not there. In the
// octets that were seen before there was none.
func headerEnd(text []byte, seen int) int {
	if bytes.HasPrefix(text, []byte("\r\n")) {
		return 0
	}
	from := max(0, seen-len("\r\n\r"))
	i := bytes.Index(text[from:], []byte("\r\n\r\n"))
	if i < 0 {
		return -1
	}
	return from + i + len("\r\n")
}

// begin takes in the header. The signer gets it unfolded, which is the form that it signs anyway:
// to do that itself takes it very long for a field of very many lines.
func (g *signing) begin(header []byte) error {
	unfolded, has, err := unfold(header)
	if err != nil {
		return err
	}
	if has["from"] == 0 {
		return errDKIMNoFrom
	}
	domain, err := asciiHost(g.k.Domain)
	if err != nil {
		return err
	}
	g.key = &dkimKey{Signer: g.k.Key}
	g.signer, err = dkim.NewSigner(&dkim.SignOptions{
		Domain:                 domain,
		Selector:               g.k.Selector,
		Identifier:             g.k.Identity,
		Signer:                 g.key,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed,
		BodyCanonicalization:   dkim.CanonicalizationRelaxed,
		HeaderKeys:             g.k.fields(has),
	})
	if err != nil {
		return fmt.Errorf("smtp client: DKIM: %w", err)
	}
	_, err = g.signer.Write(append(unfolded, "\r\n"...))
	return err
}

// fields returns the names of the fields to be signed, of a header that has each of them so often.
func (k *DKIM) fields(has map[string]int) []string {
	if len(k.Headers) > 0 {
		return k.Headers
	}
	names := []string{"From"}
	for _, name := range signedFields {
		for range has[strings.ToLower(name)] {
			names = append(names, name)
		}
	}
	return names
}

// unfold returns a header with each of its fields in one line, and how often it has each, in lower
// case. A line that belongs to no field is an error: some servers take it for the first of the
// body.
func unfold(header []byte) (unfolded []byte, has map[string]int, err error) {
	unfolded = make([]byte, 0, len(header)+len("\r\n"))
	has = make(map[string]int)
	for len(header) > 0 {
		var line []byte
		line, header, _ = bytes.Cut(header, []byte("\r\n"))
		if line[0] == ' ' || line[0] == '\t' {
			if len(has) == 0 {
				return nil, nil, badFieldError(line)
			}
			unfolded = unfolded[:len(unfolded)-len("\r\n")]
		} else {
			name, _, ok := bytes.Cut(line, []byte(":"))
			name = bytes.TrimRight(name, " \t")
			if !ok || !isFieldName(string(name)) {
				return nil, nil, badFieldError(line)
			}
			has[strings.ToLower(string(name))]++
		}
		unfolded = append(append(unfolded, line...), "\r\n"...)
	}
	return unfolded, has, nil
}

// maxQuoted is how many octets of a line an error shows.
const maxQuoted = 100

func badFieldError(line []byte) error {
	shown := line[:min(len(line), maxQuoted)]
	return fmt.Errorf("smtp client: DKIM: the header has a line that is no field: %q", shown)
}

// body takes in a piece of the body. Before a line that is not empty, the signer keeps all empty
// ones in memory.
func (g *signing) body(p []byte) error {
	lead := len(p) - len(bytes.TrimLeft(p, " \t\r\n"))
	g.blank += lead
	if g.blank > maxBlank {
		return errDKIMBlank
	}
	if lead < len(p) {
		g.blank = len(p) - len(bytes.TrimRight(p, " \t\r\n"))
	}
	_, err := g.signer.Write(p)
	return err
}

// finish returns the signature. A text without an empty line is all header.
func (g *signing) finish() ([]byte, error) {
	if g.signer == nil {
		if err := g.begin(g.header); err != nil {
			return nil, err
		}
	}
	if err := g.signer.Close(); err != nil {
		return nil, fmt.Errorf("smtp client: DKIM: %w", err)
	}
	header := g.signer.Signature()
	for line := range strings.SplitSeq(header, "\r\n") {
		if len(line) > maxTextLine {
			return nil, errDKIMLine
		}
	}
	return []byte(header), nil
}

// maxTextLine is the length of the longest line of a message, without its CR LF: RFC 5322, section
// 2.1.1.
const maxTextLine = 998

// close gives up, unless the signature is done.
func (g *signing) close() {
	if g.signer != nil {
		g.key.cut = true
		_ = g.signer.Close() // it has failed, or nobody wants to know
	}
}

// A dkimKey signs whole texts only. A panic of the key's is an error: it is called on a goroutine
// where nobody else could recover.
type dkimKey struct {
	crypto.Signer
	cut bool // it is set before the signer learns that the text is over
}

// Sign signs a digest.
func (k *dkimKey) Sign(
	random io.Reader, digest []byte, opts crypto.SignerOpts,
) (signature []byte, err error) {
	if k.cut {
		return nil, errDKIMCut
	}
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic in Key: %v", v)
		}
	}()
	return k.Signer.Sign(random, digest, opts)
}
