package smtp

import (
	"errors"
	"strconv"
)

// MaxEnvelopeID is the length of ENVID in octets as it stands in a command: RFC 3461, section 4.4.
const MaxEnvelopeID = 100

// A Body is what the text of a message may hold: the value of BODY.
type Body string

// The bodies. None at all is the same as Body7Bit.
const (
	Body7Bit       Body = "7BIT"       // RFC 6152: lines of ASCII
	Body8BitMIME   Body = "8BITMIME"   // RFC 6152: lines of any octets
	BodyBinaryMIME Body = "BINARYMIME" // RFC 3030: any octets at all, sent with BDAT
)

// A Return is how much of a message a report about its failure gives back: the value of RET.
type Return string

// The returns. None at all leaves it to the server. RFC 3461, section 4.3.
const (
	ReturnFull    Return = "FULL"
	ReturnHeaders Return = "HDRS"
)

// MailParams are the parameters of a MAIL. The zero value is none.
type MailParams struct {
	Size       int64  // SIZE, RFC 1870: the message in octets; 0 if not known
	Body       Body   // BODY
	UTF8       bool   // SMTPUTF8, RFC 6531
	RequireTLS bool   // REQUIRETLS, RFC 8689
	Return     Return // RET
	EnvelopeID string // ENVID, RFC 3461, without its encoding; empty if there is none

	// Auth is AUTH, RFC 4954, section 5, without its encoding: the mailbox of whoever submitted the
	// message, or <> if that is not known or not trusted. It is empty if the parameter is not there.
	Auth string

	// Other are those of extensions that this package does not know.
	Other []Param

	// SpaceAfterColon makes AppendMail write MAIL FROM: <address>. RFC 5321 forbids the space, and
	// most servers take it.
	//
	// POE: what POE::Component::Client::SMTP 0.22 sends.
	SpaceAfterColon bool
}

// A Mail is a MAIL command that was received.
type Mail struct {
	From   Address
	Params MailParams
}

var mailRules = map[string]paramRule[MailParams]{
	"AUTH":       {ExtAuth, (*MailParams).takeAuth},
	"BODY":       {Ext8BitMIME, (*MailParams).takeBody},
	"ENVID":      {ExtDSN, (*MailParams).takeEnvelopeID},
	"REQUIRETLS": {ExtRequireTLS, (*MailParams).takeRequireTLS},
	"RET":        {ExtDSN, (*MailParams).takeReturn},
	"SIZE":       {ExtSize, (*MailParams).takeSize},
	"SMTPUTF8":   {ExtSMTPUTF8, (*MailParams).takeUTF8},
}

// ParseMail reads the argument of MAIL: RFC 5321, section 4.1.1.2. The error is a *Reply: 501 for
// what is malformed, 553 for an address that needs SMTPUTF8 without the parameter, 555 for a
// parameter, or a body, of an extension that is not offered. Whether a SIZE is too large is left to
// the server; one that no int64 holds is the largest that it does.
func ParseMail(arg string, opts EnvelopeOptions) (Mail, error) {
	from, rest, err := parsePath(arg, "FROM:", opts)
	if err == nil && !from.IsNull() && from.Domain == "" {
		err = badAddress(arg, "the domain is missing")
	}
	if err != nil {
		return Mail{}, refusePath(err, EnhancedCode{5, 1, 7}, "sender")
	}
	p, other, err := parseParams(rest, mailRules, opts.Offered)
	switch {
	case err != nil:
		return Mail{}, err
	case p.Body == BodyBinaryMIME && !opts.Offered.Has(ExtBinaryMIME):
		return Mail{}, refuse(CodeParametersUnknown, EnhancedCode{5, 5, 4}, "BINARYMIME is not offered")
	case !p.UTF8 && (from.NeedsUTF8() || NeedsUTF8(rest)):
		return Mail{}, refuseUTF8()
	}
	p.Other = other
	return Mail{From: from, Params: p}, nil
}

// AppendMail appends a MAIL command to dst and returns the extended slice. The address is without
// angle brackets; the empty string is the null path. It returns dst as it was and a *ValueError if
// CheckAddress would, or if a parameter cannot be sent as what it is.
func AppendMail(dst []byte, from string, p MailParams) ([]byte, error) {
	if err := CheckAddress("MAIL FROM", from); err != nil {
		return dst, err
	}
	if err := p.check(); err != nil {
		return dst, err
	}
	start := len(dst)
	dst = appendPath(dst, "MAIL FROM:", from, p.SpaceAfterColon)
	if p.Size > 0 {
		dst = append(dst, " SIZE="...)
		dst = strconv.AppendInt(dst, p.Size, 10)
	}
	if p.Body != "" {
		dst = appendParam(dst, "BODY", string(p.Body))
	}
	if p.UTF8 {
		dst = appendParam(dst, "SMTPUTF8", "")
	}
	if p.RequireTLS {
		dst = appendParam(dst, "REQUIRETLS", "")
	}
	if p.Return != "" {
		dst = appendParam(dst, "RET", string(p.Return))
	}
	if p.EnvelopeID != "" {
		dst = append(dst, " ENVID="...)
		value := len(dst)
		dst = AppendXtext(dst, p.EnvelopeID)
		if len(dst)-value > MaxEnvelopeID {
			return dst[:start], valueError("ENVID", p.EnvelopeID, "it is too long")
		}
	}
	if p.Auth != "" {
		dst = append(dst, " AUTH="...)
		dst = AppendXtext(dst, p.Auth)
	}
	return finishPath(dst, start, VerbMAIL, from, p.Other)
}

// check returns a *ValueError if a parameter has a value that is none of its own.
func (p *MailParams) check() error {
	if p.Size < 0 {
		return valueError("SIZE", strconv.FormatInt(p.Size, 10), "it is negative")
	}
	if !p.Body.valid() && p.Body != "" {
		return valueError("BODY", string(p.Body), "there is no such body")
	}
	if !p.Return.valid() && p.Return != "" {
		return valueError("RET", string(p.Return), "there is no such return")
	}
	if err := valueError("ENVID", p.EnvelopeID, envelopeIDFault(p.EnvelopeID)); err != nil {
		return err
	}
	return valueError("AUTH", p.Auth, textFault(p.Auth))
}

func (p *MailParams) takeSize(value string) (ok bool) {
	p.Size, ok = parseOctets(value)
	return ok
}

func (p *MailParams) takeBody(value string) bool {
	p.Body = Body(upper(value))
	return p.Body.valid()
}

func (p *MailParams) takeUTF8(value string) bool {
	p.UTF8 = true
	return value == ""
}

func (p *MailParams) takeRequireTLS(value string) bool {
	p.RequireTLS = true
	return value == ""
}

func (p *MailParams) takeReturn(value string) bool {
	p.Return = Return(upper(value))
	return p.Return.valid()
}

func (p *MailParams) takeEnvelopeID(value string) bool {
	id, err := DecodeXtext(value)
	p.EnvelopeID = id
	return err == nil && id != "" && len(value) <= MaxEnvelopeID && envelopeIDFault(id) == ""
}

func (p *MailParams) takeAuth(value string) bool {
	mailbox, err := DecodeXtext(value)
	p.Auth = mailbox
	return err == nil && mailbox != ""
}

func (b Body) valid() bool {
	return b == Body7Bit || b == Body8BitMIME || b == BodyBinaryMIME
}

func (r Return) valid() bool { return r == ReturnFull || r == ReturnHeaders }

// envelopeIDFault says what keeps id from being an ENVID, which is printable ASCII.
func envelopeIDFault(id string) (reason string) {
	if NeedsUTF8(id) {
		return "it is not ASCII"
	}
	return textFault(id)
}

// appendPath appends the beginning of MAIL or RCPT.
func appendPath(dst []byte, command, addr string, space bool) []byte {
	dst = append(dst, command...)
	if space {
		dst = append(dst, ' ')
	}
	dst = append(dst, '<')
	dst = append(dst, addr...)
	return append(dst, '>')
}

// finishPath appends the other parameters and the line end, and gives the line up, which began at
// start, if it must not be sent.
func finishPath(dst []byte, start int, verb Verb, addr string, other []Param) ([]byte, error) {
	if err := checkParams(other); err != nil {
		return dst[:start], err
	}
	for _, p := range other {
		dst = appendParam(dst, p.Keyword, p.Value)
	}
	dst = append(dst, "\r\n"...)
	if len(dst)-start > maxLine(verb) {
		return dst[:start], valueError(string(verb), addr, "its parameters are too long")
	}
	return dst, nil
}

// refusePath makes the reply for a path that could not be read.
func refusePath(err error, enhanced EnhancedCode, whose string) error {
	var bad *ValueError
	if errors.As(err, &bad) {
		return refuse(CodeArgumentError, enhanced, "Bad %s address: %s", whose, bad.Reason)
	}
	return err
}

func refuseUTF8() *Reply {
	return refuse(CodeMailboxName, EnhancedCode{5, 6, 7}, "Not ASCII, and SMTPUTF8 was not asked for")
}
