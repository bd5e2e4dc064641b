package smtp

import "strings"

// MaxOriginalRecipient is the length of ORCPT in octets as it stands in a command: RFC 3461,
// section 4.2.
const MaxOriginalRecipient = 500

// A Notify is a set of the outcomes that the sender wants to be told of: the value of NOTIFY. RFC
// 3461, section 4.1.
type Notify uint8

// The outcomes. None at all leaves it to the server. NotifyNever goes with no other.
const (
	NotifyNever Notify = 1 << iota
	NotifySuccess
	NotifyFailure
	NotifyDelay
)

// notifyWords are the words of NOTIFY in the order of the bits.
var notifyWords = [...]string{"NEVER", "SUCCESS", "FAILURE", "DELAY"}

// String returns the value of NOTIFY: "SUCCESS,DELAY". It is empty for the empty set.
func (n Notify) String() string { return string(n.append(nil)) }

func (n Notify) append(dst []byte) []byte {
	start := len(dst)
	for i, word := range notifyWords {
		if n&(1<<i) == 0 {
			continue
		}
		if len(dst) > start {
			dst = append(dst, ',')
		}
		dst = append(dst, word...)
	}
	return dst
}

// valid reports whether the set may be sent. The empty set may not.
func (n Notify) valid() bool {
	return n == NotifyNever || n != 0 && n&NotifyNever == 0 && n>>len(notifyWords) == 0
}

// An OriginalRecipient is the address that the sender first gave for a recipient, for the report:
// the value of ORCPT. The zero value is none.
type OriginalRecipient struct {
	// Type is the kind of address: rfc822, or utf-8 of RFC 6533, or any other. Empty means one of
	// these two, as the address needs it.
	Type string

	// Address is without its encoding.
	Address string
}

// RcptParams are the parameters of a RCPT. The zero value is none.
type RcptParams struct {
	Notify   Notify            // NOTIFY
	Original OriginalRecipient // ORCPT

	// Other are those of extensions that this package does not know.
	Other []Param

	// SpaceAfterColon makes AppendRcpt write RCPT TO: <address>. RFC 5321 forbids the space, and
	// most servers take it.
	//
	// POE: what POE::Component::Client::SMTP 0.22 sends.
	SpaceAfterColon bool
}

// A Rcpt is a RCPT command that was received.
type Rcpt struct {
	To     Address
	Params RcptParams
}

var rcptRules = map[string]paramRule[RcptParams]{
	"NOTIFY": {ExtDSN, (*RcptParams).takeNotify},
	"ORCPT":  {ExtDSN, (*RcptParams).takeOriginal},
}

// ParseRcpt reads the argument of RCPT: RFC 5321, section 4.1.1.3. The error is a *Reply: 501 for
// what is malformed, and for the null path, 553 for an address that needs SMTPUTF8 in a transaction
// without it, 555 for a parameter of an extension that is not offered.
func ParseRcpt(arg string, opts EnvelopeOptions) (Rcpt, error) {
	to, rest, err := parsePath(arg, "TO:", opts)
	if err == nil && to.IsNull() {
		err = badAddress(arg, "it is empty")
	}
	if err != nil {
		return Rcpt{}, refusePath(err, EnhancedCode{5, 1, 3}, "recipient")
	}
	p, other, err := parseParams(rest, rcptRules, opts.Offered)
	switch {
	case err != nil:
		return Rcpt{}, err
	case !opts.UTF8 && (to.NeedsUTF8() || NeedsUTF8(rest)):
		return Rcpt{}, refuseUTF8()
	}
	p.Other = other
	return Rcpt{To: to, Params: p}, nil
}

// AppendRcpt appends a RCPT command to dst and returns the extended slice. The address is without
// angle brackets. It returns dst as it was and a *ValueError if CheckAddress would, or if a
// parameter cannot be sent as what it is.
func AppendRcpt(dst []byte, to string, p RcptParams) ([]byte, error) {
	if err := CheckAddress("RCPT TO", to); err != nil {
		return dst, err
	}
	if err := p.check(); err != nil {
		return dst, err
	}
	start := len(dst)
	dst = appendPath(dst, "RCPT TO:", to, p.SpaceAfterColon)
	if p.Notify != 0 {
		dst = append(dst, " NOTIFY="...)
		dst = p.Notify.append(dst)
	}
	if p.Original.Address != "" {
		dst = append(dst, " ORCPT="...)
		value := len(dst)
		dst = p.Original.append(dst)
		if len(dst)-value > MaxOriginalRecipient {
			return dst[:start], valueError("ORCPT", p.Original.Address, "it is too long")
		}
	}
	return finishPath(dst, start, VerbRCPT, to, p.Other)
}

// check returns a *ValueError if a parameter has a value that is none of its own.
func (p *RcptParams) check() error {
	if p.Notify != 0 && !p.Notify.valid() {
		return valueError("NOTIFY", p.Notify.String(), "there is no such set of outcomes")
	}
	if !isKeyword(p.Original.Type) && p.Original.Type != "" {
		return valueError("ORCPT", p.Original.Type, "it is not a type of address")
	}
	return valueError("ORCPT", p.Original.Address, textFault(p.Original.Address))
}

func (p *RcptParams) takeNotify(value string) bool {
	for word := range strings.SplitSeq(value, ",") {
		known := false
		for i, w := range notifyWords {
			if equalFold(word, w) {
				p.Notify |= 1 << i
				known = true
			}
		}
		if !known {
			return false
		}
	}
	return p.Notify.valid()
}

func (p *RcptParams) takeOriginal(value string) bool {
	kind, encoded, _ := strings.Cut(value, ";")
	decode := DecodeXtext
	if equalFold(kind, "utf-8") {
		decode = DecodeAddrXtext
	}
	address, err := decode(encoded)
	p.Original = OriginalRecipient{Type: kind, Address: address}
	return err == nil && address != "" && isKeyword(kind) && len(value) <= MaxOriginalRecipient
}

// append appends the value of ORCPT.
func (o OriginalRecipient) append(dst []byte) []byte {
	kind := o.Type
	if kind == "" {
		kind = "rfc822"
		if NeedsUTF8(o.Address) {
			kind = "utf-8"
		}
	}
	dst = append(dst, kind...)
	dst = append(dst, ';')
	if equalFold(kind, "utf-8") {
		return AppendAddrXtext(dst, o.Address)
	}
	return AppendXtext(dst, o.Address)
}
