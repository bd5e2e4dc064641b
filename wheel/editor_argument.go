package wheel

// Arg returns the numeric argument that was given before a key, or 1, and whether one was given.
func (e *Editor) Arg() (n int, given bool) {
	switch {
	case !e.argGiven:
		return 1, false
	case !e.argDigits && e.argSign:
		return -1, true
	case e.argSign:
		return -e.arg, true
	default:
		return e.arg, true
	}
}

// count returns the argument without its sign, and whether that is a minus.
func (e *Editor) count() (n int, back bool) {
	n, _ = e.Arg()
	if n < 0 {
		return -n, true
	}
	return n, false
}

func (e *Editor) noArg() { e.arg, e.argGiven, e.argSign, e.argDigits = 0, false, false, false }

// digit adds to the argument that is being given. It reports whether c does.
func (e *Editor) digit(c string) bool {
	switch {
	case c == "-" && !e.argDigits && !e.argSign:
		e.argSign = true
	case c >= "0" && c <= "9":
		if !e.argDigits {
			e.arg = 0
		}
		e.arg = min(e.arg*10+int(c[0]-'0'), maxCount)
		e.argDigits = true
	default:
		return false
	}
	e.argGiven = true
	return true
}

// argument begins a numeric argument.
func (e *Editor) argument() {
	e.now = counting
	e.digit(e.key[len(e.key)-1:])
}

// universalArgument is four times what was the argument before, or what follows.
func (e *Editor) universalArgument() {
	n, _ := e.Arg()
	e.noArg()
	e.now, e.argGiven = counting, true
	e.arg = min(4*max(n, 1), maxCount)
}
