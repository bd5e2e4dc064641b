package conformance

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/go-poe/poe/filter"
)

// The ports of the cases about filters, which need no kernel.
func init() {
	Register("filter-block", blocks)
	Register("filter-httpd", httpd)
	Register("filter-line-autodetect-split", lineAutodetect)
	Register("filter-line-crlf-split-bug", lineSplit)
	Register("filter-line-default", lineDefault)
	Register("filter-line-terminators", lineTerminators)
	Register("filter-map-empty-bug", mapEmpty)
	Register("filter-recordblock", recordBlocks)
	Register("filter-reference-roundtrip", references)
	Register("filter-stackable", stackable)
	Register("filter-stackable-pending-bug", stackablePending)
	Register("filter-stream-grep-map", streamGrepMap)
}

// record makes a record of a value that a Perl program would have there.
func record(v any) filter.Record {
	if text, ok := v.(string); ok {
		return filter.Record{Bytes: []byte(text)}
	}
	return filter.Record{Value: v}
}

// group makes a record of a list of values.
func group(values ...any) filter.Record {
	list := make([]filter.Record, len(values))
	for i, v := range values {
		list[i] = record(v)
	}
	return filter.Record{Value: list}
}

// plain is the opposite of record and of group.
func plain(r filter.Record) any {
	switch v := r.Value.(type) {
	case nil:
		return string(r.Bytes)
	case []filter.Record:
		return plainAll(v)
	}
	return r.Value
}

func plainAll(records []filter.Record) []any {
	list := []any{}
	for _, r := range records {
		list = append(list, plain(r))
	}
	return list
}

// feed gives a filter input: pieces of a stream, or records.
func feed(f filter.Filter, input ...any) {
	for _, v := range input {
		r := record(v)
		if to, ok := f.(filter.RecordFilter); ok {
			to.FeedRecord(r)
		} else {
			f.Feed(r.Bytes)
		}
	}
}

// getAll feeds a filter, and returns all records that it then has, as POE's get does.
func getAll(f filter.Filter, input ...any) ([]any, error) {
	feed(f, input...)
	list := []any{}
	for {
		r, ok, err := f.Next()
		if err != nil {
			return nil, err
		}
		if !ok {
			return list, nil
		}
		list = append(list, plain(r))
	}
}

// get is getAll, shown. An error is one of the test.
func (c *Case) get(f filter.Filter, input ...any) string {
	list, err := getAll(f, input...)
	if err != nil {
		c.T.Errorf("get: %v", err)
	}
	return Show(list)
}

// getOne returns the next record, shown, as POE's get_one does.
func (c *Case) getOne(f filter.Filter) string {
	r, ok, err := f.Next()
	if err != nil {
		c.T.Errorf("get_one: %v", err)
	}
	if !ok {
		return Show([]any{})
	}
	return Show([]any{plain(r)})
}

// pending returns what a filter holds, shown, as POE's get_pending does.
func pending(f filter.Filter) string {
	if f, ok := f.(filter.RecordFilter); ok {
		return pendingList(f.PendingRecords())
	}
	if p := f.Pending(); p != nil {
		return Show([]any{p})
	}
	return Show(nil)
}

func pendingList(records []filter.Record) string {
	if len(records) == 0 {
		return Show(nil)
	}
	return Show(plainAll(records))
}

// putAll returns what a filter makes of records, shown, as POE's put does: an encoding for each, or
// the records that a RecordFilter gives.
func (c *Case) putAll(f filter.Filter, values ...any) string {
	list := []any{}
	for _, v := range values {
		r, ok := v.(filter.Record)
		if !ok {
			r = record(v)
		}
		var err error
		if to, ok := f.(filter.RecordFilter); ok {
			var records []filter.Record
			records, err = to.AppendRecords(nil, r)
			list = append(list, plainAll(records)...)
		} else {
			var text []byte
			text, err = f.Append(nil, r)
			list = append(list, text)
		}
		if err != nil {
			c.T.Errorf("put: %v", err)
		}
	}
	return Show(list)
}

// trace feeds a filter piece by piece. It returns the list of records of each piece, and instead of
// the last what went wrong, in POE's words.
func trace(f filter.Filter, words map[error]string, goOn bool, chunks ...string) []any {
	var lists []any
	for _, chunk := range chunks {
		list, err := getAll(f, chunk)
		if err == nil {
			lists = append(lists, Show(list))
			continue
		}
		for is, text := range words {
			if errors.Is(err, is) {
				lists = append(lists, "error("+text+")")
			}
		}
		if !goOn {
			break
		}
	}
	return lists
}

// refused prints that a constructor refuses its options, in POE's words. What Go's types rule out
// is refused by the compiler, and has no function here.
func (c *Case) refused(what, words string, f func()) {
	if f != nil && refusal(f) == nil {
		c.Out(what + "accepted")
		return
	}
	c.Out(what+"refused:", words)
}

// letters returns a text cut into single bytes.
func letters(text string) []string { return strings.Split(text, "") }

// A lengthByte is a LengthCodec of one byte.
type lengthByte struct{}

func (lengthByte) AppendLength(dst []byte, n int) []byte { return append(dst, byte(n)) }

func (lengthByte) Length(p []byte) (n, size int, err error) { return int(p[0]), 1, nil }

func blocks(c *Case) {
	words := map[error]string{
		filter.ErrTooLong:    "Expected size of next block exceeds the limit",
		filter.ErrBufferFull: "Framing buffer exceeds the limit",
	}
	feed := func(f filter.Filter, what string, chunks ...string) {
		lists := trace(f, words, true, chunks...)
		c.Out(append(append([]any{what + ":"}, lists...), "pending", pending(f))...)
	}
	f := filter.NewBlock(filter.BlockOptions{BlockSize: 4})
	feed(f, "fixed", "abcdefghij", "kl", "mnopqrs")
	var joined []byte
	for _, text := range []string{"12", "345", "6"} {
		joined, _ = f.Append(joined, record(text))
	}
	c.Out("put joins:", Show([]any{joined}))

	f = filter.NewBlock(filter.BlockOptions{})
	var wire []byte
	for _, text := range []string{"hello", "", "a\x00b", strings.Repeat("x", 12)} {
		wire, _ = f.Append(wire, record(text))
	}
	c.Out("length prefixed put:", Show(wire))
	feed(f, "whole", string(wire))
	var threes []string
	for piece := range slices.Chunk(wire, 3) {
		threes = append(threes, string(piece))
	}
	feed(f, "cut in threes", threes...)
	feed(f, "length and data apart", "1", "2", "\x00twelve", " bytes1")

	f = filter.NewBlock(filter.BlockOptions{LengthCodec: lengthByte{}})
	c.Out("own codec put:", c.putAll(f, "abc", ""))
	lists := trace(f, words, true, "\x03ab", "c\x00\x02xy\x01")
	// POE has taken the length off by now, and loses it when another filter takes over.
	held := strings.TrimPrefix(string(f.Pending()), "\x01")
	c.Out(append(append([]any{"own codec get:"}, lists...), "pending", showSome(held))...)
	feed(f, "its length is kept", "z")

	limits := filter.BlockOptions{MaxLength: 10, MaxBuffer: 20}
	feed(filter.NewBlock(limits), "limits", "10\x00aaaaaaaaaa", "11\x00")
	feed(filter.NewBlock(limits), "buffer limit", strings.Repeat("9", 21))
	makes := func(opts filter.BlockOptions) func() { return func() { filter.NewBlock(opts) } }
	c.refused("", "POE::Filter::Block doesn't support zero or negative block sizes",
		makes(filter.BlockOptions{BlockSize: -1})) // 0 is none given here
	c.refused("", "Can't use both MaxLength and BlockSize at the same time",
		makes(filter.BlockOptions{BlockSize: 4, MaxLength: 3}))
	c.refused("", "Can't use both LengthCodec and BlockSize at the same time",
		makes(filter.BlockOptions{BlockSize: 4, LengthCodec: lengthByte{}}))
	c.refused("", "LengthCodec encoder must be a code reference", nil)
	c.refused("", "POE::Filter::Block must be given an even number of parameters", nil)
}

// showSome shows a list of one text, or undef for none.
func showSome(text string) string {
	if text == "" {
		return Show(nil)
	}
	return Show([]any{text})
}

func httpd(c *Case) {
	feed := func(what string, opts filter.HTTPDOptions, chunks ...string) {
		f := filter.NewHTTPD(opts)
		var got []string
		for _, chunk := range chunks {
			f.Feed([]byte(chunk))
			for {
				r, ok, err := f.Next()
				if err != nil || !ok { // after a refusal, there is an error
					break
				}
				got = append(got, describe(c, r.Value))
			}
		}
		text := strings.Join(got, " ; ")
		c.Out(what+":", either(text == "", "nothing", text), "pending", pending(f))
	}
	none := filter.HTTPDOptions{}
	feed("GET", none, "GET /index.html HTTP/1.1\r\nHost: example.org\r\nX-A: 1\r\nX-A: 2\r\n\r\n")
	feed("in pieces", none, "GET /x HT", "TP/1.0\r\nHo", "st: h\r\n", "\r\n")
	feed("POST with body", none, "POST /f HTTP/1.1\r\nContent-Length: 5\r\n\r\nhel", "lo")
	feed("bare LF", none, "GET /lf HTTP/1.0\nA: b\n\n")
	feed("HTTP/0.9", none, "GET /old\r\n\r\n")
	feed("folded header", none, "GET / HTTP/1.0\r\nX: a\r\n  b\r\n\r\n")
	feed("leading blank lines, double slash", none, "\r\n\r\nGET //a//b HTTP/1.0\r\n\r\n")
	feed("two requests", none, "GET /1 HTTP/1.0\r\n\r\nGET /2 HTTP/1.0\r\n\r\nGET /3")
	feed("bad request line", none, "nonsense\r\n\r\n")
	feed("bad length", none, "POST / HTTP/1.1\r\nContent-Length: abc\r\n\r\n")
	feed("length zero", none, "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
	feed("encoding without length", none, "POST / HTTP/1.1\r\nContent-Encoding: gzip\r\n\r\n")
	feed("too large", filter.HTTPDOptions{MaxContent: 10},
		"POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\n")

	for _, res := range []*http.Response{
		{
			Status: "200 OK", StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{"Content-Type": {"text/plain"}},
			Body:   io.NopCloser(strings.NewReader("body\n")),
		},
		{
			Status: "404 Gone fishing", StatusCode: 404,
			Header: http.Header{"X-Multi": {"line one\nline two\n"}},
		},
	} {
		text, err := filter.NewHTTPD(none).Append(nil, filter.Record{Value: res})
		if err != nil {
			c.T.Error(err)
		}
		c.Out("put", Show([]any{text}))
	}
}

// describe returns a request, or the response that takes its place, as a line.
func describe(c *Case, v any) string {
	if res, ok := v.(*http.Response); ok {
		return fmt.Sprint("response ", res.StatusCode)
	}
	req := v.(*http.Request)
	header := req.Header.Clone()
	if req.Host != "" {
		header.Set("Host", req.Host) // which net/http keeps elsewhere
	}
	var fields []string
	for name, values := range header {
		for _, value := range values {
			fields = append(fields, name+"="+Show(value))
		}
	}
	slices.Sort(fields)
	content := []byte{}
	if req.Body != nil {
		var err error
		if content, err = io.ReadAll(req.Body); err != nil {
			c.T.Error(err)
		}
	}
	return fmt.Sprintf("%s %v %s {%s} %s",
		req.Method, req.URL, req.Proto, strings.Join(fields, ","), Show(content))
}

func lineAutodetect(c *Case) {
	for _, test := range []struct {
		what   string
		chunks []string
	}{
		{"CRLF in one piece", []string{"one\r\ntwo\r\n"}},
		{"LF only", []string{"one\ntwo\nthree\r\n"}},
		{"CR only", []string{"one\rtwo\rthree\r\n"}},
		{"LF CR", []string{"one\n\rtwo\n\r"}},
		{"CR | LF", []string{"one\r", "\ntwo\r\n"}},
		{"CR | LF | more", []string{"one\r", "\n", "two\r\nthree\r", "\nfour\r\n"}},
		{"CR | next line", []string{"one\r", "two\rthree\r"}},
		{"LF | CR", []string{"one\n", "\rtwo\n\r"}},
		{"LF | LF", []string{"one\n", "\ntwo\n"}},
		{"LF | text CR", []string{"one\n", "two\r\nthree\n"}},
		{"byte by byte CRLF", letters("ab\r\nc\r\n\r\nd\r\n")},
		{"starts with line end", []string{"\r\n", "x\r\n"}},
	} {
		f := filter.NewLine(filter.LineOptions{Newline: filter.DetectNewline, OutputLiteral: "!"})
		var lists []string
		for _, chunk := range test.chunks {
			lists = append(lists, c.get(f, chunk))
		}
		c.Out(test.what+":", strings.Join(lists, " "), "pending", pending(f),
			"put", c.putAll(f, "p"))
	}
}

func lineSplit(c *Case) {
	lines := func(opts filter.LineOptions, chunks ...string) string {
		f := filter.NewLine(opts)
		got := []any{}
		for _, chunk := range chunks {
			list, err := getAll(f, chunk)
			if err != nil {
				c.T.Error(err)
			}
			got = append(got, list...)
		}
		return Show(got)
	}
	usual := filter.LineOptions{}
	for _, chunks := range [][]string{
		{"one\r", "\ntwo\r\n"}, {"one\r", "\n", "two\r", "\n"}, {"a\n", "\rb\r\n"},
	} {
		c.Out(Show(chunks), "->", lines(usual, chunks...))
	}
	f := filter.NewLine(usual)
	c.Out("same bytes in one call:", c.get(f, "one\r", "\ntwo\r\n"))
	literal := filter.LineOptions{InputLiteral: "\r\n"}
	c.Out("with a literal CRLF:", lines(literal, "one\r", "\n", "two\r", "\n"))
}

func lineDefault(c *Case) {
	f := filter.NewLine(filter.LineOptions{})
	get := func(what string, chunks ...any) {
		c.Out("get "+what+":", c.get(f, chunks...), "pending", pending(f))
	}
	get("whole line", "alpha\r\n")
	get("partial", "bra")
	get("rest and more", "vo\r\ncharlie\r\ndel")
	get("nothing", "")
	get("several chunks", "ta", "\r\n", "echo\r\nfox")
	get("lone LF ends it", "trot\n")
	get("lone CR", "golf\rhotel\r\n")
	get("LF CR is one", "india\n\rjuliet\n\r")
	get("empty lines", "\r\n\r\n\n\n")
	get("CR CR LF LF", "kilo\r\r\n\nlima\n")

	one := func() { c.Out("get_one:", c.getOne(f), "pending", pending(f)) }
	feed(f, "one\r\ntwo\r\nthr")
	one()
	one()
	one()
	feed(f, "ee\r\n")
	one()

	c.Out("put:", c.putAll(f, "first", "", "has\nnewline", "last"))
	c.Out("put nothing:", c.putAll(f))

	feed(f, "left over")
	clone := f.Clone()
	c.Out("clone pending", pending(clone), "original pending", pending(f))
	c.Out("clone works:", c.get(clone, "x\r\n"), c.putAll(clone, "y"))
}

func lineTerminators(c *Case) {
	words := map[error]string{
		filter.ErrTooLong:    "Next line exceeds maximum line length",
		filter.ErrBufferFull: "Framing buffer exceeds the limit",
	}
	try := func(what string, opts filter.LineOptions, chunks ...string) {
		f := filter.NewLine(opts)
		lists := trace(f, words, false, chunks...)
		c.Out(append(append([]any{what + ":"}, lists...), "pending", pending(f), "put",
			c.putAll(f, "x", "y"))...)
	}
	matches := func(expr string) filter.LineOptions {
		return filter.LineOptions{InputRegexp: regexp.MustCompile(expr)}
	}
	try("literal NUL", filter.LineOptions{Literal: "\x00"}, "a\x00b\x00c")
	try("literal is not regexp", filter.LineOptions{Literal: ".*"}, "a.*b.c.*d")
	try("multi-char literal", filter.LineOptions{InputLiteral: "--=>", OutputLiteral: "<="},
		"one--", "=>two-", "-=", ">three")
	try("regexp", matches(`[;,]\s*`), "a; b,c ,", " d")
	try("regexp with group", matches(`(\d)(\d)`), "a12b34c", "5", "6d")
	try("greedy split matters", matches("x+"), "axx", "xb")
	try("output only", filter.LineOptions{OutputLiteral: "\n"}, "a\r\nb\n")
	try("empty output literal", filter.LineOptions{NoOutputLiteral: true}, "a\n")
	try("MaxLength", filter.LineOptions{Literal: "\n", MaxLength: 5}, "12345\n", "123456\n", "x\n")
	try("MaxBuffer", filter.LineOptions{Literal: "\n", MaxLength: 5, MaxBuffer: 8},
		"1234", "5\n67", "123456789")
	makes := func(opts filter.LineOptions) func() { return func() { filter.NewLine(opts) } }
	c.refused("both: ", "POE::Filter::Line cannot have Literal with any other parameter",
		makes(filter.LineOptions{Literal: "a", InputLiteral: "b"}))
	c.refused("both regexp: ", "POE::Filter::Line cannot have both InputLiteral and InputRegexp",
		makes(filter.LineOptions{InputLiteral: "a", InputRegexp: regexp.MustCompile("b")}))
	c.refused("empty literal: ", "A defined Literal must have a nonzero length", nil)
	c.refused("odd parameters: ", "POE::Filter::Line requires an even number of parameters", nil)
	c.refused("bad MaxLength: ", "MaxLength must be a number",
		makes(filter.LineOptions{MaxLength: -1})) // the nearest thing
	c.refused("MaxBuffer too small: ", "MaxBuffer is not large enough for MaxLength blocks",
		makes(filter.LineOptions{MaxBuffer: 4, MaxLength: 5}))
}

// mapped returns a function for a Map that maps a text to texts.
func mapped(f func(text string) []string) filter.MapFunc {
	return func(dst []filter.Record, r filter.Record) []filter.Record {
		for _, text := range f(string(r.Bytes)) {
			dst = append(dst, record(text))
		}
		return dst
	}
}

func upper(text string) []string { return []string{strings.ToUpper(text)} }
func lower(text string) []string { return []string{strings.ToLower(text)} }

// linesOf returns a filter for lines that end in a literal.
func linesOf(literal string) *filter.Line {
	return filter.NewLine(filter.LineOptions{Literal: literal})
}

func mapEmpty(c *Case) {
	without := func(then func(string) []string) func(string) []string {
		return func(text string) []string {
			if text == "drop" {
				return nil
			}
			return then(text)
		}
	}
	same := func(text string) []string { return []string{text} }
	m := filter.NewMap(filter.MapOptions{Code: mapped(without(same))})
	c.Out("get:", c.get(m, "a", "drop", "b", "c"), "pending", pending(m))
	c.Out("get again:", c.get(m), "pending", pending(m))
	s := filter.NewStackable(linesOf("\n"), filter.NewMap(filter.MapOptions{
		Code: mapped(without(upper)),
	}))
	c.Out("stack of line and map:", c.get(s, "one\ndrop\ntwo\n"), c.get(s, "three\n"))
}

func recordBlocks(c *Case) {
	f := filter.NewRecordBlock(filter.RecordBlockOptions{BlockSize: 3})
	putPending := func(f *filter.RecordBlock) string { return pendingList(f.PutPending()) }
	c.Out("get", c.get(f, 1, 2), c.get(f, 3, 4), c.get(f, 5, 6, 7, 8, 9, 10), "pending", pending(f))
	c.Out("put flattens", c.putAll(f, group("a", "b"), group("c"), group("d", "e", "f", "g")),
		"put pending", putPending(f))
	feed(f, 11, 12, 13, 14)
	c.Out("get_one", c.getOne(f), c.getOne(f), c.getOne(f), "pending", pending(f))
	size := func(n int) int {
		f.SetBlockSize(n)
		return f.BlockSize()
	}
	c.Out("blocksize", f.BlockSize(), "set", size(2), "bad value keeps", size(0))
	c.Out("get with new size", c.get(f, 15))

	checked := filter.NewRecordBlock(filter.RecordBlockOptions{BlockSize: 3, CheckPut: true})
	for _, groups := range [][]any{{group(1, 2), group(3, 4)}, {group(5), group(6, 7)}} {
		c.Out("checked put", c.putAll(checked, groups...), "put pending", putPending(checked))
	}
	was := bit(checked.CheckPut())
	checked.SetCheckPut(false)
	c.Out("checkput", was, "off", bit(checked.CheckPut()))
	c.Out("unchecked put", c.putAll(checked, group(8)), "put pending", putPending(checked))
	clone := checked.Clone().(*filter.RecordBlock)
	c.Out("clone", clone.BlockSize(), c.get(clone, 1, 2, 3), pending(clone))
	for _, test := range []struct {
		given []any
		size  int
	}{
		{[]any{}, 0}, {[]any{"BlockSize", 0}, 0}, {[]any{"BlockSize", -1}, -1},
	} {
		err := refusal(func() {
			filter.NewRecordBlock(filter.RecordBlockOptions{BlockSize: test.size})
		})
		c.Out("new", Show(test.given), either(err == nil, "accepted", "refused"))
	}
}

// bit returns a truth value as the number that Perl has for it.
func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// What gob knows nothing of: undef as an element of a list, and a reference to a text.
type (
	undef     struct{ Undef bool }
	scalarRef struct{ To string }
)

// shown returns a value that came out of a Reference, shown.
func shown(v any) string {
	switch v := v.(type) {
	case *scalarRef:
		return "ref to " + Show(v.To)
	case scalarRef:
		return "ref to " + Show(v.To)
	}
	return Show(defined(v))
}

// defined returns v with nil for each undef.
func defined(v any) any {
	switch v := v.(type) {
	case undef:
		return nil
	case []any:
		list := make([]any, len(v))
		for i, x := range v {
			list[i] = defined(x)
		}
		return list
	case map[string]any:
		table := make(map[string]any, len(v))
		for key, x := range v {
			table[key] = defined(x)
		}
		return table
	}
	return v
}

func references(c *Case) {
	for _, v := range []any{[]any{}, map[string]any{}, undef{}, scalarRef{}} {
		gob.Register(v)
	}
	f := filter.NewReference(filter.ReferenceOptions{})
	data := []any{
		[]any{1, "two", []any{3}},
		map[string]any{"k": "v", "n": map[string]any{"deep": []any{undef{}, "bin\x00\xFF"}}},
		scalarRef{"scalar"},
	}
	var frames []string
	for _, v := range data {
		frame, err := f.Append(nil, filter.Record{Value: v})
		if err != nil {
			c.T.Fatal(err)
		}
		frames = append(frames, string(frame))
	}
	c.Out("frames", len(frames))
	for _, frame := range frames {
		length, rest, _ := strings.Cut(frame, "\x00")
		c.Out("frame is length NUL data:", either(length == fmt.Sprint(len(rest)), "yes", "no"))
	}
	wire := strings.Join(frames, "")
	values := func(f filter.Filter, chunks ...string) (words []any) {
		for _, chunk := range chunks {
			list, err := getAll(f, chunk)
			if err != nil {
				c.T.Error(err)
			}
			for _, v := range list {
				words = append(words, shown(v))
			}
		}
		return words
	}
	c.Out(append([]any{"whole:"}, values(f, wire)...)...)
	c.Out(append([]any{"byte by byte:"}, values(f, letters(wire)...)...)...)
	c.Out("pending", pending(f))
	ones := values(f, wire[:len(wire)-1])
	c.Out(append(append([]any{"all but one byte:"}, ones...),
		"pending", either(f.Pending() != nil, "some", "none"))...)

	packs := filter.NewReference(filter.ReferenceOptions{Compression: filter.Zlib, Level: 9})
	big := strings.Repeat("abc", 1000)
	packed, err := packs.Append(nil, filter.Record{Value: map[string]any{"text": big}})
	if err != nil {
		c.T.Fatal(err)
	}
	list, err := getAll(packs, string(packed))
	if err != nil || len(list) != 1 {
		c.T.Fatalf("got %v, %v", list, err)
	}
	c.Out("compressed is smaller", either(len(packed) < 500, "yes", "no"), "round trip",
		either(list[0].(map[string]any)["text"] == big, "same", "different"))

	soft := filter.NewReference(filter.ReferenceOptions{NoFatals: true})
	list, err = getAll(soft, "4\x00junk"+frames[0])
	if err != nil || len(list) != 2 {
		c.T.Fatalf("got %v, %v", list, err)
	}
	_, failed := list[0].(error)
	c.Out("NoFatals:", either(failed, "error text", "value"), shown(list[1]))
	_, err = f.Append(nil, record("no reference"))
	c.Out("put of a plain value", either(err == nil, "accepted", "refused"))
}

func stackable(c *Case) {
	s := filter.NewStackable(
		linesOf("\n"),
		filter.NewGrep(filter.GrepOptions{
			Get: func(r filter.Record) bool { return !strings.HasPrefix(string(r.Bytes), "#") },
			Put: func(r filter.Record) bool { return string(r.Bytes) != "secret" },
		}),
		filter.NewMap(filter.MapOptions{Get: mapped(upper), Put: mapped(lower)}),
	)
	types := func(s *filter.Stackable) string { return strings.Join(s.Types(), " ") }
	c.Out("types", types(s))
	c.Out("get", c.get(s, "one\n# comment\ntw"), c.get(s, "o\n#x\n"), c.get(s, "\n"))
	c.Out("put", c.putAll(s, "ABC", "SECRET", "DEF"), "all dropped", c.putAll(s, "SECRET"))
	feed(s, "a\n#b\nc\nd")
	c.Out("get_one", c.getOne(s), c.getOne(s), c.getOne(s))
	s.Push(filter.NewRecordBlock(filter.RecordBlockOptions{BlockSize: 2}))
	c.Out("types", types(s))
	c.Out("get pairs", c.get(s, "\ne\nf\n"), c.get(s, "g\n"))
	c.Out("put pairs", c.putAll(s, group("X", "Y"), group("Z")))
	popped := s.Pop()
	c.Out("popped", typeName(popped), "types", types(s))
	s.Unshift(filter.NewBlock(filter.BlockOptions{BlockSize: 4}))
	c.Out("with blocks below", types(s), c.get(s, "h\ni"), c.get(s, "\njk\nl"))
	shifted := s.Shift()
	c.Out("shifted", typeName(shifted), "types", types(s), "count", len(s.Filters()))
	clone := s.Clone().(*filter.Stackable)
	c.Out("clone", types(clone), c.get(clone, "q\n"))
	err := refusal(func() { s.Push(nil) })
	c.Out("push of something else", either(err == nil, "accepted", "refused"))
	empty := filter.NewStackable()
	empty.Push(linesOf(";"))
	c.Out("started empty", types(empty), c.get(empty, "a;b;"))
}

func stackablePending(c *Case) {
	drain := func(s filter.Filter, chunk string) {
		if _, err := getAll(s, chunk); err != nil {
			c.T.Error(err)
		}
	}
	s := filter.NewStackable(linesOf("\n"), filter.NewMap(filter.MapOptions{Code: mapped(upper)}))
	drain(s, "one\ntw")
	c.Out("half a line below a map, pending:", pending(s))
	c.Out("the data is still there:", c.get(s, "o\n"))

	s = filter.NewStackable(linesOf("\n"),
		filter.NewRecordBlock(filter.RecordBlockOptions{BlockSize: 2}))
	drain(s, "a\nb\nc\nd")
	c.Out("half a pair above half a line, pending:", pending(s))

	c.Out("nothing pending:", pending(filter.NewStackable(linesOf("\n"))))

	s = filter.NewStackable(filter.NewBlock(filter.BlockOptions{BlockSize: 4}), linesOf("\n"))
	drain(s, "x\ny")
	s.Shift()
	c.Out("after shift of a block filter that held 3 bytes:", c.get(s, "z\n"))
}

func streamGrepMap(c *Case) {
	s := filter.NewStream(filter.StreamOptions{})
	c.Out("stream get", c.get(s, "ab", "cd"), c.get(s, ""), "pending", pending(s))
	c.Out("stream put", c.putAll(s, "x", "", "y"))
	feed(s, "one")
	feed(s, "two")
	c.Out("stream pending", pending(s), "get_one", c.getOne(s), c.getOne(s))

	first := func(from, to byte) func(r filter.Record) bool {
		return func(r filter.Record) bool { return r.Bytes[0] >= from && r.Bytes[0] <= to }
	}
	g := filter.NewGrep(filter.GrepOptions{
		Get: first('a', 'm'),
		Put: func(r filter.Record) bool { return len(r.Bytes) > 0 },
	})
	c.Out("grep get", c.get(g, "apple", "zebra", "mango", "plum"))
	c.Out("grep put", c.putAll(g, "a", "", "b"))
	feed(g, "zoo", "ant", "yak", "bee")
	c.Out("grep get_one", c.getOne(g), "pending", pending(g), c.getOne(g), c.getOne(g),
		"pending", pending(g))
	g.Modify(func(r filter.Record) bool { return strings.Contains(string(r.Bytes), "z") }, nil)
	c.Out("grep after modify", c.get(g, "apple", "zebra"))
	both := filter.NewGrep(filter.GrepOptions{
		Code: func(r filter.Record) bool { return r.Value.(int)%2 == 1 },
	})
	c.Out("grep with one code", c.get(both, 1, 2, 3, 4, 5), c.putAll(both, 1, 2, 3, 4, 5))

	m := filter.NewMap(filter.MapOptions{Get: mapped(upper), Put: mapped(lower)})
	c.Out("map get", c.get(m, "Ab", "cD"), "put", c.putAll(m, "Ab", "cD"))
	dup := filter.NewMap(filter.MapOptions{Code: mapped(func(text string) []string {
		return slices.Repeat([]string{text}, len(text))
	})})
	c.Out("map one to many", c.putAll(dup, "a", "bb", "", "ccc"))
	feed(dup, "xx", "y")
	c.Out("map get_one", mapOne(c, dup), "pending", pending(dup), mapOne(c, dup), mapOne(c, dup))
	m.Modify(nil, mapped(func(text string) []string { return []string{"<" + text + ">"} }))
	c.Out("map after modify", c.get(m, "q"), c.putAll(m, "q"))

	grep := func(opts filter.GrepOptions) func() { return func() { filter.NewGrep(opts) } }
	mapping := func(opts filter.MapOptions) func() { return func() { filter.NewMap(opts) } }
	for _, test := range []struct {
		kind   string
		params int
		make   func() // nil: the compiler has no function in the place of what is none
	}{
		{"Grep", 0, grep(filter.GrepOptions{})},
		{"Grep", 2, grep(filter.GrepOptions{Get: first('a', 'z')})},
		{"Grep", 2, nil},
		{"Grep", 4, grep(filter.GrepOptions{Put: first('a', 'z')})},
		{"Map", 0, mapping(filter.MapOptions{})},
		{"Map", 2, mapping(filter.MapOptions{Get: mapped(upper)})},
		{"Map", 2, nil},
		{"Map", 4, mapping(filter.MapOptions{Put: mapped(upper)})},
	} {
		accepted := test.make != nil && refusal(test.make) == nil
		c.Out(test.kind, "with", test.params, "parameters", either(accepted, "accepted", "refused"))
	}
}

// mapOne returns all that one record was mapped to, as POE's get_one does: here they come one by
// one.
func mapOne(c *Case, m *filter.Map) string {
	before := len(m.PendingRecords())
	list := []any{}
	for before > 0 {
		r, ok, err := m.Next()
		if err != nil {
			c.T.Error(err)
		}
		if !ok {
			break
		}
		list = append(list, plain(r))
		if len(list) == len(string(r.Bytes)) { // each text is mapped to as many as it has letters
			break
		}
	}
	return Show(list)
}
