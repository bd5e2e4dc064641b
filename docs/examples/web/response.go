package main

import (
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// body makes a response with a text of some type.
func body(status int, kind, content string) *http.Response {
	return &http.Response{
		StatusCode:    status,
		Header:        http.Header{"Content-Type": {kind}},
		Body:          io.NopCloser(strings.NewReader(content)),
		ContentLength: int64(len(content)),
	}
}

// text makes a response that says no more than its status.
func text(status int) *http.Response {
	return body(status, "text/plain; charset=utf-8", http.StatusText(status)+"\n")
}

// allowed lists the methods of a page, for the header Allow (RFC 9110, section 10.2.1).
func allowed(methods map[string]page) string {
	names := slices.Collect(maps.Keys(methods))
	if methods[http.MethodGet] != nil {
		names = append(names, http.MethodHead)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
