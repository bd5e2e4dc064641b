package wheel

// A macro is what the user has typed, to be typed again.
type macro struct {
	on      bool
	typing  string // what is being recorded
	typed   string // what was
	playing bool
}

// record notes one character.
func (m *macro) record(c string, most int) {
	if m.on && !m.playing && len(m.typing)+len(c) <= most {
		m.typing += c
	}
}

// play takes s for what the user has typed.
func (e *Editor) play(s string) {
	if e.plays == maxDepth {
		e.Bell()
		return
	}
	e.plays++
	outer := e.macro.playing
	e.macro.playing, e.last = true, other
	for _, c := range s {
		if !e.reading {
			break
		}
		if e.budget == 0 || len(e.out) > maxOut || e.work > maxWork {
			e.Bell()
			break
		}
		e.budget--
		e.char(string(c))
	}
	if e.Undecided() { // nothing of the macro follows
		b, from, _, _ := e.find(e.keys)
		e.use(b, from, e.keys)
	}
	e.macro.playing = outer
	e.plays--
}

func (e *Editor) startMacro() {
	if e.macro.on || e.macro.playing {
		e.Bell()
		return
	}
	e.macro.on, e.macro.typing = true, ""
}

func (e *Editor) endMacro() {
	if !e.macro.on {
		e.Bell()
		return
	}
	e.macro.on = false
	e.macro.typed = e.macro.typing[:max(0, len(e.macro.typing)-len(e.key))]
}

func (e *Editor) callMacro() {
	n, _ := e.Arg()
	e.noArg()
	if e.macro.on || e.macro.typed == "" {
		e.Bell()
		return
	}
	for range min(n, maxPlayed) {
		if e.budget == 0 || !e.reading {
			break
		}
		e.play(e.macro.typed)
	}
}
