package smtp

import (
	"slices"
	"strings"
)

// A Param is one parameter of MAIL or RCPT: RFC 5321, section 4.1.2. The keyword is in upper case.
// The value is empty if the parameter has none.
type Param struct {
	Keyword string
	Value   string
}

// EnvelopeOptions are how ParseMail and ParseRcpt read. The zero value is RFC 5321 without
// extensions.
type EnvelopeOptions struct {
	// Offered are the extensions that the server has told this client about; nil after HELO.
	// Parameters that belong to none of them are refused.
	Offered Extensions

	// UTF8 says that the MAIL of this transaction had SMTPUTF8. Only ParseRcpt asks.
	UTF8 bool

	// LongLocal is as in AddressOptions.
	LongLocal bool
}

// A paramRule is what there is to know of a parameter that the grammar knows: the extension that it
// comes with, and how its value gets into P, which reports whether it is a good one.
type paramRule[P any] struct {
	extension string
	take      func(p *P, value string) bool
}

// parsePath reads the path after prefix, FROM: or TO:, and returns the parameters behind it. A
// space before the path is wrong, but there are many clients that send one.
func parsePath(arg, prefix string, opts EnvelopeOptions) (Address, string, error) {
	rest, ok := cutPrefixFold(arg, prefix)
	if !ok {
		return Address{}, "", badSyntax(prefix)
	}
	a, rest, err := ParsePath(strings.TrimLeft(rest, " \t"), AddressOptions{
		UTF8:      true, // the caller knows whether it may be, and has another reply
		LongLocal: opts.LongLocal,
	})
	if err == nil && rest != "" && rest[0] != ' ' && rest[0] != '\t' {
		return Address{}, "", badSyntax(prefix)
	}
	return a, strings.TrimLeft(rest, " \t"), err
}

func badSyntax(prefix string) *Reply {
	return refuse(CodeArgumentError, EnhancedCode{5, 5, 4}, "Syntax: %s<address>", prefix)
}

// parseParams reads parameters by their rules, and returns apart from them those that have no rule
// but belong to an extension of the same name that is offered. The error is a *Reply.
func parseParams[P any](
	s string, rules map[string]paramRule[P], offered Extensions,
) (P, []Param, error) {
	var none P
	if s == "" {
		return none, nil, nil // most commands; p, which goes to functions, would cost memory
	}
	var p P
	var other []Param
	var seen []string
	for s != "" {
		var word string
		word, s = cutWord(s)
		keyword, value, hasValue := strings.Cut(word, "=")
		keyword = upper(keyword)
		if !isKeyword(keyword) || textFault(value) != "" || hasValue && value == "" {
			return none, nil, refuseParam(CodeArgumentError, "is malformed", keyword)
		}
		rule, known := rules[keyword]
		if !known {
			rule.extension = keyword
		}
		switch {
		case !offered.Has(rule.extension):
			return none, nil, refuseParam(CodeParametersUnknown, "is not offered", keyword)
		case slices.Contains(seen, keyword):
			return none, nil, refuseParam(CodeArgumentError, "stands twice", keyword)
		case !known:
			other = append(other, Param{keyword, value})
		case !rule.take(&p, value):
			return none, nil, refuseParam(CodeArgumentError, "has a malformed value", keyword)
		}
		seen = append(seen, keyword)
	}
	return p, other, nil
}

// refuseParam makes the reply for a parameter, with no more of its keyword than fits.
func refuseParam(code int, what, keyword string) *Reply {
	return refuse(code, EnhancedCode{5, 5, 4}, "Parameter %.40s %s", keyword, what)
}

// appendParam appends a parameter whose keyword and value are known to be good.
func appendParam(dst []byte, keyword, value string) []byte {
	dst = append(dst, ' ')
	dst = append(dst, keyword...)
	if value != "" {
		dst = append(dst, '=')
		dst = append(dst, value...)
	}
	return dst
}

// checkParams returns a *ValueError if one of the parameters would not stay one.
func checkParams(params []Param) error {
	for _, p := range params {
		if !isKeyword(p.Keyword) {
			return valueError("parameter", p.Keyword, "it is not a keyword")
		}
		if strings.Contains(p.Value, " ") {
			return valueError(p.Keyword, p.Value, "it has a space")
		}
		if err := valueError(p.Keyword, p.Value, textFault(p.Value)); err != nil {
			return err
		}
	}
	return nil
}
