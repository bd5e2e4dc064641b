package wheel

import (
	"errors"
	"fmt"
	"strings"
)

// The limits of a keymap.
const (
	maxKeys     = 32     // characters in one key
	maxBindings = 10_000 // in one keymap
)

// ErrBadKey reports keys that cannot be understood, or that are too many.
var ErrBadKey = errors.New("wheel: not a key")

// A keymap says what the keys do. A key may send several characters, as C-x C-u and the arrows do.
type keymap struct {
	bound  map[string]binding
	begins map[string]int // how many longer keys begin so
	behind *keymap        // counts where this one has nothing; may be nil
}

// A binding is what a key does: a function, or what is taken to be typed instead.
type binding struct {
	does  string
	macro bool
}

func newKeymap() *keymap {
	return &keymap{bound: map[string]binding{}, begins: map[string]int{}}
}

// bind gives a key something to do, or nothing, if b does nothing.
func (m *keymap) bind(keys string, b binding) error {
	_, had := m.bound[keys]
	switch {
	case keys == "" || len(keys) > maxKeys:
		return ErrBadKey
	case !had && len(m.bound) == maxBindings:
		return fmt.Errorf("%w: there are too many", ErrBadKey)
	}
	if b == (binding{}) {
		delete(m.bound, keys)
	} else {
		m.bound[keys] = b
	}
	change := 0
	if has := b != (binding{}); has && !had {
		change = 1
	} else if !has && had {
		change = -1
	}
	for n := 1; n < len(keys) && change != 0; n++ {
		if m.begins[keys[:n]] += change; m.begins[keys[:n]] == 0 {
			delete(m.begins, keys[:n])
		}
	}
	return nil
}

// Bind has a key call a function, in the keymap that is in use, or that an inputrc has set. A name
// that no function has, as yet, is an error only when the key is pressed; "" takes the binding
// away. The keys are as in an inputrc: `"\C-x\C-r"`, `Control-u`, `Meta-Rubout`, or one of those
// that terminals have: home, end, ins, del, up, down, left, right. The error is ErrBadKey.
//
// POE: bind_key.
func (e *Editor) Bind(keys, function string) error {
	return e.bind(keys, binding{does: function})
}

// BindMacro has a key stand for others.
func (e *Editor) BindMacro(keys, macro string) error {
	return e.bind(keys, binding{does: macro, macro: macro != ""})
}

func (e *Editor) bind(keys string, b binding) error {
	list, err := parseKeys(keys)
	if err != nil {
		return err
	}
	m := e.binding
	if m == nil {
		m = e.modeMap()
	}
	for _, k := range list {
		if err := m.bind(k, b); err != nil {
			return fmt.Errorf("%w: %q", err, keys)
		}
	}
	return nil
}

// named are the keys that have a name of one character.
var named = map[string]string{
	"del": "\x7f", "rubout": "\x7f", "backspace": "\x7f", "bs": "\x7f",
	"esc": "\x1b", "escape": "\x1b", "lfd": "\n", "newline": "\n",
	"ret": "\r", "return": "\r", "space": " ", "spc": " ", "tab": "\t",
}

// arrows are the keys for which terminals send several characters, each their own.
var arrows = map[string][]string{
	"up":     {"\x1b[A", "\x1bOA"},
	"down":   {"\x1b[B", "\x1bOB"},
	"right":  {"\x1b[C", "\x1bOC"},
	"left":   {"\x1b[D", "\x1bOD"},
	"home":   {"\x1b[H", "\x1bOH", "\x1b[1~", "\x1b[7~"},
	"end":    {"\x1b[F", "\x1bOF", "\x1b[4~", "\x1b[8~"},
	"ins":    {"\x1b[2~"},
	"insert": {"\x1b[2~"},
	"delete": {"\x1b[3~"},
}

// parseKeys returns the keys that have a name, in the form of an inputrc.
func parseKeys(name string) ([]string, error) {
	if strings.HasPrefix(name, `"`) {
		s, rest, err := unquote(name)
		if err != nil || rest != "" {
			return nil, fmt.Errorf("%w: %s", ErrBadKey, name)
		}
		return []string{s}, nil
	}
	if strings.Contains(name, `\`) {
		return []string{unescape(name)}, nil
	}
	lower := strings.ToLower(name)
	if lower == "del" { // the key of a terminal, and the name of a character as well
		return append([]string{"\x7f"}, arrows["delete"]...), nil
	}
	if list, ok := arrows[lower]; ok {
		return list, nil
	}
	return parseName(name)
}

// parseName reads the form Control-Meta-x.
func parseName(name string) ([]string, error) {
	var control, meta bool
	rest := name
	for {
		i := strings.IndexByte(rest, '-')
		if i <= 0 || i == len(rest)-1 {
			break
		}
		switch strings.ToLower(rest[:i]) {
		case "control", "ctrl", "c":
			control = true
		case "meta", "m":
			meta = true
		default:
			return nil, fmt.Errorf("%w: %s", ErrBadKey, name)
		}
		rest = rest[i+1:]
	}
	key, ok := named[strings.ToLower(rest)]
	if !ok {
		key = rest
	}
	if key == "" || !ok && (control && len(key) != 1 || meta && len([]rune(key)) != 1) {
		return nil, fmt.Errorf("%w: %s", ErrBadKey, name)
	}
	if !ok && !control && !meta {
		key = string([]rune(key)[:1]) // as readline does
	}
	if control {
		key = string(rune(controlOf(key[0]))) + key[1:]
	}
	if meta {
		key = "\x1b" + key
	}
	return []string{key}, nil
}

// controlOf returns what the control key makes of a character.
func controlOf(c byte) byte {
	if c == '?' {
		return 0x7f
	}
	if c >= 'a' && c <= 'z' {
		c -= 'a' - 'A'
	}
	return c & 0x1f
}

// unquote reads a text in quotes, and returns what is behind it.
func unquote(s string) (text, rest string, err error) {
	quote := s[0]
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case quote:
			return unescape(s[1:i]), s[i+1:], nil
		}
	}
	return "", "", fmt.Errorf("%w: %s has no end", ErrBadKey, s)
}

// escapes are the characters that a letter behind a backslash stands for.
var escapes = map[byte]byte{
	'a': '\a', 'b': '\b', 'd': 0x7f, 'e': 0x1b, 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v',
}

// unescape replaces the escapes of an inputrc.
func unescape(s string) string {
	var b strings.Builder
	for s != "" {
		c, n := escaped(s)
		b.WriteString(c)
		s = s[n:]
	}
	return valid(b.String())
}

// escaped returns what the beginning of s stands for, and how long that is.
func escaped(s string) (c string, n int) {
	if s[0] != '\\' || len(s) == 1 {
		return s[:1], 1
	}
	switch {
	case len(s) > 3 && s[1] == 'C' && s[2] == '-':
		c, n := escaped(s[3:])
		return string(rune(controlOf(c[len(c)-1]))), n + 3
	case len(s) > 3 && s[1] == 'M' && s[2] == '-':
		c, n := escaped(s[3:])
		return "\x1b" + c, n + 3
	case s[1] == 'x':
		return number(s, 2, 2, 16)
	case s[1] >= '0' && s[1] <= '7':
		return number(s, 1, 3, 8)
	case escapes[s[1]] != 0:
		return string(rune(escapes[s[1]])), 2
	default:
		return s[1:2], 2
	}
}

// number reads up to most digits of a number at i.
func number(s string, i, most, base int) (string, int) {
	v, n := 0, i
	for n < len(s) && n < i+most {
		d := strings.IndexByte("0123456789abcdef", s[n]|0x20)
		if s[n] < '0' || d < 0 || d >= base {
			break
		}
		v, n = v*base+d, n+1
	}
	if n == i {
		return s[1:2], 2 // no number at all
	}
	return string(rune(v & 0xff)), n
}

// KeyName returns the name of keys, as in \C-x\e[A.
func KeyName(keys string) string {
	var b strings.Builder
	for _, c := range keys {
		switch {
		case c == 0x1b:
			b.WriteString(`\e`)
		case c == 0x7f:
			b.WriteString(`\C-?`)
		case c < ' ':
			b.WriteString(`\C-` + strings.ToLower(string(c+'@')))
		case c == '\\' || c == '"':
			b.WriteString(`\` + string(c))
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}
