package filter

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// appendResponse appends a response: its status, its header sorted by name, and all of its Body,
// which must not wait for anything. A ContentLength above 0 is sent if the header has none;
// nothing else is added. Without a Proto it is one of HTTP/1.0.
//
// A status text that is not the usual one follows that, which is put in parentheses. Several lines
// in one value of the header are sent as one that is folded. It returns ErrRecord for what would
// be understood as something else.
func appendResponse(dst []byte, res *http.Response) ([]byte, error) {
	out := append(dst, statusLine(res)...)
	if !isPlain(string(out[len(dst):])) {
		return dst, fmt.Errorf("%w: an HTTP status with control characters", ErrRecord)
	}
	if len(res.TransferEncoding) > 0 {
		return dst, fmt.Errorf("%w: HTTPD encodes no transfer codings", ErrRecord)
	}
	out = append(out, "\r\n"...)
	for _, name := range slices.Sorted(maps.Keys(res.Header)) {
		for _, value := range res.Header[name] {
			value = folded(value)
			if !isToken(name) || !isPlain(strings.ReplaceAll(value, "\r\n ", "")) {
				return dst, fmt.Errorf("%w: an HTTP header %.40q", ErrRecord, name)
			}
			out = fmt.Appendf(out, "%s: %s\r\n", name, value)
		}
	}
	if res.ContentLength > 0 && res.Header.Get("Content-Length") == "" {
		out = fmt.Appendf(out, "Content-Length: %d\r\n", res.ContentLength)
	}
	out = append(out, "\r\n"...)
	if res.Body == nil {
		return out, nil
	}
	content, err := io.ReadAll(res.Body)
	if err != nil {
		return dst, fmt.Errorf("filter: content of an HTTP response: %w", err)
	}
	return append(out, content...), nil
}

// statusLine returns the first line of a response.
func statusLine(res *http.Response) string {
	proto := res.Proto
	if proto == "" {
		proto = "HTTP/1.0"
	}
	code := strconv.Itoa(res.StatusCode)
	usual := http.StatusText(res.StatusCode)
	text := strings.TrimPrefix(strings.TrimPrefix(res.Status, code), " ")
	switch {
	case text == "" || text == usual:
		text = usual
	case usual != "":
		text = "(" + usual + ") " + text
	}
	return proto + " " + code + " " + text
}

// folded returns a value of a header with its lines as lines that continue the first. None of them
// can be taken for a header of its own.
func folded(value string) string {
	if !strings.ContainsAny(value, "\r\n") {
		return value
	}
	lines := strings.FieldsFunc(value, func(r rune) bool { return r == '\r' || r == '\n' })
	return strings.Join(lines, "\r\n ")
}
