package filter

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// badRequest is what most faults of a request are.
var badRequest = refusal{status: http.StatusBadRequest}

// parseHead returns the request of a head, which is its lines without the one that ends it.
func parseHead(head string) (*http.Request, *refusal) {
	lines := strings.Split(strings.TrimSuffix(head, "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSuffix(line, "\r")
	}
	req, refused := parseRequestLine(lines[0])
	if refused != nil {
		return nil, refused
	}
	if req.Header, refused = parseHeader(lines[1:]); refused != nil {
		refused.of = req
		return nil, refused
	}
	hosts := req.Header["Host"]
	if len(hosts) > 1 {
		return nil, &refusal{status: http.StatusBadRequest, of: req}
	}
	req.Host = req.URL.Host
	if req.Host == "" {
		req.Host = req.Header.Get("Host")
	}
	req.Header.Del("Host")
	req.Close = wantsClose(req)
	return req, nil
}

// parseRequestLine returns the request of its first line.
func parseRequestLine(line string) (*http.Request, *refusal) {
	words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
	if len(words) < 2 || len(words) > 3 || !isToken(words[0]) || !isPlain(line) {
		return nil, badRequest.copy()
	}
	req := &http.Request{
		Method:     words[0],
		RequestURI: words[1],
		Proto:      "HTTP/0.9",
		ProtoMinor: 9,
		Body:       http.NoBody,
	}
	if len(words) == 3 {
		req.Proto = words[2]
		var ok bool
		req.ProtoMajor, req.ProtoMinor, ok = http.ParseHTTPVersion(req.Proto)
		switch {
		case !ok:
			return nil, badRequest.copy()
		case req.ProtoMajor > 1:
			return nil, &refusal{status: http.StatusHTTPVersionNotSupported}
		}
	}
	var err error
	if req.URL, err = parseTarget(req.Method, req.RequestURI); err != nil {
		return nil, badRequest.copy()
	}
	return req, nil
}

// copy returns a refusal of its own, for somebody to write the request into.
func (r refusal) copy() *refusal {
	return &r
}

// parseTarget returns the URL of a request. What a CONNECT names is a host, and not a path.
func parseTarget(method, target string) (*url.URL, error) {
	if method == http.MethodConnect && !strings.HasPrefix(target, "/") {
		u, err := url.ParseRequestURI("http://" + target)
		if err == nil {
			u.Scheme = ""
		}
		return u, err
	}
	if strings.HasPrefix(target, "//") {
		target = "/" + strings.TrimLeft(target, "/")
	}
	return url.ParseRequestURI(target)
}

// parseHeader returns the header of its lines. A line that begins with a blank continues the one
// before it.
func parseHeader(lines []string) (http.Header, *refusal) {
	header := make(http.Header)
	for len(lines) > 0 {
		name, value, ok := strings.Cut(lines[0], ":")
		if !ok || !isToken(name) {
			return nil, badRequest.copy()
		}
		n := 1
		for n < len(lines) && (lines[n][0] == ' ' || lines[n][0] == '\t') {
			n++
		}
		if value, ok = unfolded(value, lines[1:n]); !ok {
			return nil, badRequest.copy()
		}
		name = http.CanonicalHeaderKey(name)
		header[name] = append(header[name], value)
		lines = lines[n:]
	}
	return header, nil
}

// unfolded returns a value of a header with the lines that continue it. They are joined at once:
// one by one, they would cost the square of their number.
func unfolded(value string, more []string) (all string, ok bool) {
	parts := make([]string, 1+len(more))
	for i := range parts {
		if i > 0 {
			value = more[i-1]
		}
		if !isPlain(value) {
			return "", false
		}
		parts[i] = strings.Trim(value, " \t")
	}
	return strings.Join(parts, " "), true
}

// contentLength returns how much content a request has. -1 means that it comes in chunks. It takes
// the fields that say so out of the header where net/http does.
func contentLength(req *http.Request) (int64, *refusal) {
	codings, lengths := req.Header["Transfer-Encoding"], req.Header["Content-Length"]
	switch {
	case len(codings) > 0 && (len(lengths) > 0 || !req.ProtoAtLeast(1, 1)):
		return 0, badRequest.copy()
	case len(codings) == 1 && strings.EqualFold(codings[0], "chunked"):
		req.Header.Del("Transfer-Encoding")
		req.TransferEncoding = []string{"chunked"}
		return -1, nil
	case len(codings) > 0:
		return 0, &refusal{status: http.StatusNotImplemented}
	case len(lengths) > 0:
		return sameLength(strings.Join(lengths, ","))
	case req.Header.Get("Content-Encoding") != "":
		return 0, &refusal{status: http.StatusLengthRequired}
	default:
		return 0, nil
	}
}

// sameLength returns the length that a list repeats.
func sameLength(list string) (int64, *refusal) {
	first := ""
	for i, text := range strings.Split(list, ",") {
		text = strings.Trim(text, " \t")
		if i == 0 {
			first = text
		}
		if text != first || strings.Trim(text, "0123456789") != "" {
			return 0, badRequest.copy()
		}
	}
	n, err := strconv.ParseInt(first, 10, strconv.IntSize)
	if err == nil {
		return n, nil
	}
	if first == "" {
		return 0, badRequest.copy()
	}
	return 0, &refusal{status: http.StatusRequestEntityTooLarge}
}

// wantsClose reports whether the request is the last on its connection.
func wantsClose(req *http.Request) bool {
	closes, keeps := false, false
	for _, word := range strings.Split(strings.Join(req.Header["Connection"], ","), ",") {
		word = strings.Trim(word, " \t")
		closes = closes || strings.EqualFold(word, "close")
		keeps = keeps || strings.EqualFold(word, "keep-alive")
	}
	return closes || !req.ProtoAtLeast(1, 1) && !keeps
}

// isToken reports whether s is a name (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9':
		case strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}

// isPlain reports whether s has no control characters but tabs.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
