package wheel

import (
	"strings"
)

// searches are the functions that search the history.
var searches = map[string]EditFunc{
	"forward-search-history": func(e *Editor) { e.beginSearch(true, true) },
	"reverse-search-history": func(e *Editor) { e.beginSearch(false, true) },
	"non-incremental-forward-search-history": func(e *Editor) {
		e.beginSearch(true, false)
	},
	"non-incremental-reverse-search-history": func(e *Editor) {
		e.beginSearch(false, false)
	},
	"search-abort":       (*Editor).searchAbort,
	"search-backward":    func(e *Editor) { e.searchOn(false) },
	"search-clear":       (*Editor).searchClear,
	"search-delete-char": (*Editor).searchDelete,
	"search-end":         (*Editor).endSearch,
	"search-forward":     func(e *Editor) { e.searchOn(true) },
	"search-run":         (*Editor).searchRun,
}

// A search is one for lines with some text in them. An incremental one shows what it has found
// after each key.
type search struct {
	incremental bool
	forward     bool
	query       string
	failed      bool

	at  int // where the line and the cursor were at the beginning
	pos int
}

// A find is what was searched for last, to be searched for again.
type find struct {
	query   string
	forward bool
}

func (e *Editor) beginSearch(forward, incremental bool) {
	e.keepEdit()
	e.search = &search{incremental: incremental, forward: forward, at: e.at, pos: e.pos}
}

// setTerminators binds what ends a search, in place of escape and C-j.
func (e *Editor) setTerminators(list string) {
	m := e.maps["isearch"]
	for k, b := range m.bound {
		if b.does == "search-end" {
			_ = m.bind(k, binding{}) // what is bound can be unbound
		}
	}
	for _, c := range unescape(strings.Trim(list, `"`)) {
		_ = m.bind(string(c), binding{does: "search-end"}) // what cannot be bound ends nothing
	}
}

// searchPrompt returns what stands before the line while there is a search.
func (e *Editor) searchPrompt() string {
	s := e.search
	name := "reverse-i-search"
	if s.forward {
		name = "i-search"
	}
	if s.failed {
		name = "failed " + name
	}
	return "(" + name + ")`" + Printable(s.query) + "': "
}

// searchAdd adds to what is searched for.
func (e *Editor) searchAdd(c string) {
	s := e.search
	if len(s.query)+len(c) > e.max {
		e.Bell()
		return
	}
	s.query += c
	if s.incremental {
		e.seek(e.at, e.pos, s.forward, false)
	}
}

// searchDelete takes the last character of that back.
func (e *Editor) searchDelete() {
	s := e.search
	if s.query == "" {
		if s.incremental {
			e.Bell()
		} else {
			e.searchAbort()
		}
		return
	}
	list := clusters(s.query)
	s.query, s.failed = s.query[:list[len(list)-1].start], false
	if s.incremental {
		e.seek(s.at, s.pos, s.forward, false)
	}
}

func (e *Editor) searchClear() { e.search.query = "" }

// searchOn goes on to the next line with the text, in one direction or the other.
func (e *Editor) searchOn(forward bool) {
	s := e.search
	s.forward = forward
	if s.query == "" {
		s.query = e.found.query
		if s.query == "" {
			return
		}
		e.seek(e.at, e.pos, forward, false)
		return
	}
	e.seek(e.at, e.pos, forward, true)
}

// searchAbort leaves the line as it was.
func (e *Editor) searchAbort() {
	s := e.search
	e.search = nil
	if !s.incremental {
		return
	}
	if e.at != s.at {
		e.recallLine(s.at)
	}
	e.pos = e.snapBack(min(s.pos, len(e.s)))
}

// endSearch leaves the line as it was found.
func (e *Editor) endSearch() {
	if s := e.search; s != nil {
		if s.query != "" {
			e.found = find{s.query, s.forward}
		}
		e.search = nil
	}
}

// searchRun searches for the text that was typed, or, if there is none, once more for the last.
func (e *Editor) searchRun() {
	s := e.search
	e.search = nil
	if s.query != "" {
		e.found = find{s.query, s.forward}
	}
	e.searchAgain(s.forward)
}

// searchAgain searches for what was searched for last.
func (e *Editor) searchAgain(forward bool) {
	if e.found.query == "" {
		e.Bell()
		return
	}
	step := -1
	if forward {
		step = 1
	}
	for i := e.at + step; i >= 0 && i <= len(e.history.lines); i += step {
		if strings.Contains(e.stored(i), e.found.query) {
			e.recallLine(i)
			return
		}
	}
	e.Bell()
}

// seek looks for the text in the lines from one on, and from a place in that one. If on is set, it
// is not to find what is right there.
func (e *Editor) seek(at, pos int, forward, on bool) {
	s := e.search
	step := -1
	if forward {
		step = 1
	}
	for i := at; i >= 0 && i <= len(e.history.lines); i += step {
		line := e.stored(i)
		if i == e.at {
			line = e.s
		}
		p, ok := pos, i == at
		if p, ok = place(line, s.query, p, ok, forward, on); !ok {
			continue
		}
		s.failed = false
		if i != e.at {
			e.recallLine(i)
		}
		e.pos = e.snapBack(p)
		return
	}
	s.failed = true
	e.Bell()
}

// place returns where a query is in a line: the nearest place from pos on if that counts, or else
// the first one from that side.
func place(line, query string, pos int, counts, forward, on bool) (int, bool) {
	if !counts {
		if forward {
			pos = 0
		} else {
			pos = len(line)
		}
		on = false
	}
	pos = min(pos, len(line))
	if forward {
		if on {
			pos = min(pos+1, len(line))
		}
		i := strings.Index(line[pos:], query)
		return pos + i, i >= 0
	}
	end := min(pos+len(query), len(line))
	if on {
		end = min(pos+len(query)-1, len(line))
	}
	i := strings.LastIndex(line[:max(0, end)], query)
	return i, i >= 0
}
