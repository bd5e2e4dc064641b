package kernel

import "strings"

// The flags of a session are those of its options that the kernel asks for.
type flags uint8

const (
	traces flags = 1 << iota
	warns
	debugs
)

var optionFlags = map[string]flags{"trace": traces, "default": warns, "debug": debugs}

// SetOption sets an option of the session, and returns the value that it had. Names are in lower
// case, whatever they are given in. The texts yes, on and true stand for 1; no, off and false for
// 0; nil removes the option. The kernel itself knows three: trace logs each event, default warns
// of each event without a handler, and debug warns of a handler that takes the place of another.
//
// POE: option.
func (s *Session) SetOption(name string, value any) (old any) {
	if s.ended() {
		return nil
	}
	name = strings.ToLower(name)
	t := s.takes()
	old = t.options[name]
	value = optionValue(value)
	if flag := optionFlags[name]; isTrue(value) {
		s.flags |= flag
	} else {
		s.flags &^= flag
	}
	switch {
	case value == nil:
		delete(t.options, name)
	case t.options == nil:
		t.options = map[string]any{name: value}
	default:
		t.options[name] = value
	}
	return old
}

// Option returns the value of an option, or nil if it is not set.
func (s *Session) Option(name string) any {
	if s.taken == nil {
		return nil
	}
	return s.taken.options[strings.ToLower(name)]
}

func optionValue(v any) any {
	switch v := v.(type) {
	case bool:
		if v {
			return 1
		}
		return 0
	case string:
		switch strings.ToLower(v) {
		case "yes", "on", "true":
			return 1
		case "no", "off", "false":
			return 0
		}
	}
	return v
}

func isTrue(v any) bool { return v != nil && v != 0 && v != "" && v != "0" }
