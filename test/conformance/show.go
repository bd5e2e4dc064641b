package conformance

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// number is what Show prints bare: a whole or decimal number, or a text that looks like one.
var number = regexp.MustCompile(`^-?[0-9]+(?:\.[0-9]+)?$`)

// Show returns a value as one token, as the recorded programs print it.
//
//   - nil, and a nil pointer, are undef.
//   - Numbers are bare, and so are texts that look like one. A duration is a number of seconds.
//   - Other texts, bytes and errors are in double quotes, with a backslash before a backslash or a
//     quote, \r, \n, \t, \0, and \xHH for every other byte outside printable ASCII.
//   - true is 1, and false the empty text, as in Perl.
//   - Slices and arrays are [a,b], and maps {key=value}, in the order of their keys.
//
// Show panics on anything else: a port passes it a value that it has made printable.
func Show(v any) string {
	if text, ok := scalar(v); ok {
		if number.MatchString(text) {
			return text
		}
		return quote(text)
	}
	if isNil(v) {
		return "undef"
	}
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Slice, reflect.Array:
		items := make([]string, r.Len())
		for i := range items {
			items[i] = Show(r.Index(i).Interface())
		}
		return "[" + strings.Join(items, ",") + "]"
	case reflect.Map:
		return "{" + strings.Join(pairs(r), ",") + "}"
	case reflect.Pointer:
		return Show(r.Elem().Interface())
	default:
		panic(fmt.Sprintf("conformance: cannot show a %T", v))
	}
}

// pairs returns the pairs of a map as key=value, in the order of the keys.
func pairs(table reflect.Value) []string {
	texts := map[string]string{}
	keys := make([]string, 0, table.Len())
	for iter := table.MapRange(); iter.Next(); {
		key := word(iter.Key().Interface())
		keys = append(keys, key)
		texts[key] = Show(iter.Value().Interface())
	}
	slices.Sort(keys)
	for i, key := range keys {
		keys[i] = key + "=" + texts[key]
	}
	return keys
}

// join returns the words of a line.
func join(words []any) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = word(w)
	}
	return strings.Join(texts, " ")
}

// word returns one word of a line.
func word(v any) string {
	if text, ok := scalar(v); ok {
		return text
	}
	if isNil(v) {
		return "undef"
	}
	panic(fmt.Sprintf("conformance: cannot print a %T, only show it", v))
}

// scalar returns the text of a value that is one in Perl too.
func scalar(v any) (text string, ok bool) {
	if isNil(v) {
		return "", false
	}
	switch v := v.(type) {
	case []byte:
		return string(v), true
	case error:
		return v.Error(), true
	case time.Duration:
		return decimal(v.Seconds()), true
	}
	switch r := reflect.ValueOf(v); {
	case r.Kind() == reflect.String:
		return r.String(), true
	case r.Kind() == reflect.Bool && r.Bool():
		return "1", true
	case r.Kind() == reflect.Bool:
		return "", true
	case r.CanInt():
		return strconv.FormatInt(r.Int(), 10), true
	case r.CanUint():
		return strconv.FormatUint(r.Uint(), 10), true
	case r.CanFloat():
		return decimal(r.Float()), true
	default:
		return "", false
	}
}

// decimal writes a number with up to 15 digits, which is how many Perl prints.
func decimal(f float64) string { return strconv.FormatFloat(f, 'g', 15, 64) }

// quote returns a text in double quotes.
func quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\\' || c == '"':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == 0:
			b.WriteString(`\0`)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\x%02X`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// isNil says whether v is nil, or a nil pointer, function or the like in an interface. A nil slice
// or map is not: it is an empty one.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return r.IsNil()
	default:
		return false
	}
}
