package wheel

// maxKills is how many kills are kept, to be yanked.
const maxKills = 10

// kills are the functions that kill and yank.
var kills = map[string]EditFunc{
	"backward-kill-line":   func(e *Editor) { e.killOrRing(e.pos, 0) },
	"backward-kill-word":   (*Editor).backwardKillWord,
	"copy-backward-word":   func(e *Editor) { e.copyText(e.wordStart(e.pos), e.pos) },
	"copy-forward-word":    func(e *Editor) { e.copyText(e.pos, e.wordEnd(e.pos)) },
	"copy-region-as-kill":  func(e *Editor) { e.copyText(e.region()) },
	"kill-line":            (*Editor).killLine,
	"kill-region":          func(e *Editor) { e.killOrRing(e.region()) },
	"kill-whole-line":      func(e *Editor) { e.killOrRing(0, len(e.s)) },
	"kill-word":            (*Editor).killWord,
	"unix-filename-rubout": (*Editor).fileRubout,
	"unix-line-discard":    func(e *Editor) { e.killOrRing(e.pos, 0) },
	"unix-word-rubout":     (*Editor).wordRubout,
	"yank":                 (*Editor).yank,
	"yank-pop":             (*Editor).yankPop,
	"delete-char-or-list":  (*Editor).deleteOrList,
	"forward-backward-delete-char": func(e *Editor) {
		e.deleteChars(e.pos == len(e.s))
	},
}

// A killRing is what was killed, the last first. It outlives the line.
type killRing struct {
	killed  []string
	yanking int // the one that was yanked last
	yankAt  int // and where
}

// kill deletes what is between two places, and keeps it. What is killed in a row is one kill: from
// is where the cursor is, which tells the direction.
func (e *Editor) kill(from, to int) {
	back := to < from
	from, to = min(from, to), max(from, to)
	e.keepKill(e.s[from:to], back)
	_ = e.replace(from, to, "") // what is shorter is not too long
}

func (e *Editor) keepKill(s string, back bool) {
	switch {
	case e.last != killing || len(e.killed) == 0:
		e.pushKill(s)
	case len(e.killed[0])+len(s) > 2*e.max:
		e.killed[0] = s
	case back:
		e.killed[0] = s + e.killed[0]
	default:
		e.killed[0] += s
	}
	e.now = killing
}

func (e *Editor) pushKill(s string) {
	if len(e.killed) == maxKills {
		e.killed = e.killed[:maxKills-1]
	}
	e.killed = append([]string{s}, e.killed...)
	e.yanking = 0
}

// killOrRing kills, or rings if there is nothing to be killed.
func (e *Editor) killOrRing(from, to int) {
	if from == to {
		e.Bell()
		return
	}
	e.kill(from, to)
}

// copyText keeps text as if it were killed.
func (e *Editor) copyText(from, to int) {
	if from == to {
		e.Bell()
		return
	}
	e.pushKill(e.s[from:to])
}

// killLine kills up to the end of the line, or, with a minus, up to its beginning.
func (e *Editor) killLine() {
	if _, back := e.count(); back {
		e.killOrRing(e.pos, 0)
		return
	}
	e.killOrRing(e.pos, len(e.s))
}

func (e *Editor) killWord() {
	n, back := e.count()
	e.killOrRing(e.pos, e.step(e.pos, n, back, e.wordEnd, e.wordStart))
}

func (e *Editor) backwardKillWord() {
	n, back := e.count()
	e.killOrRing(e.pos, e.step(e.pos, n, !back, e.wordEnd, e.wordStart))
}

// wordRubout kills back to a space.
func (e *Editor) wordRubout() {
	n, _ := e.count()
	start := func(pos int) int {
		return e.skipBack(e.skipBack(pos, notSpace, false), notSpace, true)
	}
	e.killOrRing(e.pos, e.step(e.pos, n, true, nil, start))
}

// fileRubout kills back to a space or a slash.
func (e *Editor) fileRubout() {
	in := func(r rune) bool { return notSpace(r) && r != '/' }
	e.killOrRing(e.pos, e.skipBack(e.skipBack(e.pos, in, false), in, true))
}

// yank inserts what was killed last.
func (e *Editor) yank() {
	if len(e.killed) == 0 {
		e.Bell()
		return
	}
	e.yankIn(e.pos, e.pos)
}

// yankPop replaces what was just yanked by what was killed before that.
func (e *Editor) yankPop() {
	if e.last != yanked || len(e.killed) == 0 || e.yankAt > e.pos {
		e.Bell()
		return
	}
	e.yanking = (e.yanking + 1) % len(e.killed)
	e.yankIn(e.yankAt, e.pos)
}

func (e *Editor) yankIn(from, to int) {
	s := e.killed[e.yanking]
	if e.replace(from, to, s) != nil {
		e.Bell()
		return
	}
	e.yankAt, e.now = from, yanked
}

// deleteOrList deletes, or shows the completions at the end of the line.
func (e *Editor) deleteOrList() {
	if e.pos < len(e.s) {
		e.deleteChar()
		return
	}
	e.possibleCompletions()
}
