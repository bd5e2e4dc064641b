package wheel

import "strings"

// everywhereBindings are those that emacs and vi have in common, with those of the keys that
// terminals have.
const everywhereBindings = `
\C-c interrupt
\C-j accept-line
\C-l clear-screen
\C-m accept-line
\C-z suspend
\e[200~ bracketed-paste-begin
\e[A previous-history
\e[B next-history
\e[C forward-char
\e[D backward-char
\e[F end-of-line
\e[H beginning-of-line
\e[1~ beginning-of-line
\e[2~ overwrite-mode
\e[3~ delete-char
\e[4~ end-of-line
\e[7~ beginning-of-line
\e[8~ end-of-line
\e[1;5C forward-word
\e[1;5D backward-word
\e[1;3C forward-word
\e[1;3D backward-word
\eOA previous-history
\eOB next-history
\eOC forward-char
\eOD backward-char
\eOF end-of-line
\eOH beginning-of-line`

const emacsBindings = `
\C-@ set-mark
\C-a beginning-of-line
\C-b backward-char
\C-d delete-char-or-eot
\C-e end-of-line
\C-f forward-char
\C-g abort
\C-h backward-delete-char
\C-i complete
\C-k kill-line
\C-n next-history
\C-o operate-and-get-next
\C-p previous-history
\C-q quoted-insert
\C-r reverse-search-history
\C-s forward-search-history
\C-t transpose-chars
\C-u unix-line-discard
\C-v quoted-insert
\C-w unix-word-rubout
\C-y yank
\C-] character-search
\C-_ undo
\C-? backward-delete-char
\C-x\C-g abort
\C-x\C-r re-read-init-file
\C-x\C-u undo
\C-x\C-x exchange-point-and-mark
\C-x\C-? backward-kill-line
\C-x( start-kbd-macro
\C-x) end-kbd-macro
\C-xe call-last-kbd-macro
\e\C-g abort
\e\C-h backward-kill-word
\e\C-i tab-insert
\e\C-j vi-editing-mode
\e\C-m vi-editing-mode
\e\C-r revert-line
\e\C-y yank-nth-arg
\e\C-[ complete
\e\C-] character-search-backward
\e\C-? backward-kill-word
\e  set-mark
\e# insert-comment
\e& tilde-expand
\e* insert-completions
\e- digit-argument
\e. yank-last-arg
\e0 digit-argument
\e1 digit-argument
\e2 digit-argument
\e3 digit-argument
\e4 digit-argument
\e5 digit-argument
\e6 digit-argument
\e7 digit-argument
\e8 digit-argument
\e9 digit-argument
\e< beginning-of-history
\e= possible-completions
\e> end-of-history
\e? possible-completions
\e\\ delete-horizontal-space
\e_ yank-last-arg
\eb backward-word
\ec capitalize-word
\ed kill-word
\ef forward-word
\el downcase-word
\en non-incremental-forward-search-history
\ep non-incremental-reverse-search-history
\er revert-line
\et transpose-words
\eu upcase-word
\ey yank-pop
\e~ tilde-expand`

const viInsertBindings = `
\e vi-movement-mode
\C-d vi-eof-maybe
\C-h backward-delete-char
\C-i complete
\C-n next-history
\C-p previous-history
\C-r reverse-search-history
\C-s forward-search-history
\C-t transpose-chars
\C-u unix-line-discard
\C-v quoted-insert
\C-w unix-word-rubout
\C-y yank
\C-_ undo
\C-? backward-delete-char`

const viMovements = `
  forward-char
\C-h backward-char
\C-? backward-char
$ end-of-line
% vi-match
, vi-char-search
0 beginning-of-line
1 vi-arg-digit
2 vi-arg-digit
3 vi-arg-digit
4 vi-arg-digit
5 vi-arg-digit
6 vi-arg-digit
7 vi-arg-digit
8 vi-arg-digit
9 vi-arg-digit
; vi-char-search
B vi-prev-word
E vi-end-word
F vi-char-search
T vi-char-search
W vi-next-word
^ vi-first-print
b vi-prev-word
e vi-end-word
f vi-char-search
h backward-char
l forward-char
t vi-char-search
w vi-next-word
` + "`" + ` vi-goto-mark
| vi-column`

const viCommandBindings = viMovements + `
\e vi-movement-mode
\C-d vi-eof-maybe
\C-e emacs-editing-mode
\C-g abort
\C-k kill-line
\C-n next-history
\C-p previous-history
\C-r reverse-search-history
\C-s forward-search-history
\C-t transpose-chars
\C-u unix-line-discard
\C-w unix-word-rubout
\C-y yank
\C-_ undo
# insert-comment
& vi-tilde-expand
* vi-complete
+ next-history
- previous-history
. vi-redo
/ vi-search
= vi-complete
? vi-search
A vi-append-eol
C vi-change-to
D vi-delete-to
G vi-fetch-history
I vi-insert-beg
N vi-search-again
P vi-put
R vi-replace
S vi-subst
U revert-line
X vi-rubout
Y vi-yank-to
\\ vi-complete
_ vi-yank-arg
a vi-append-mode
c vi-change-to
d vi-delete-to
i vi-insertion-mode
j next-history
k previous-history
m vi-set-mark
n vi-search-again
p vi-put
r vi-change-char
s vi-subst
u undo
x vi-delete
y vi-yank-to
~ vi-change-case`

const viSpecificationBindings = viMovements + `
\C-g vi-spec-cancel
\e vi-spec-cancel
c vi-spec-line
d vi-spec-line
y vi-spec-line`

const isearchBindings = `
\C-g search-abort
\C-h search-delete-char
\C-j search-end
\C-r search-backward
\C-s search-forward
\e search-end
\C-? search-delete-char`

const searchBindings = `
\C-c interrupt
\C-g search-abort
\C-h search-delete-char
\C-j search-run
\C-m search-run
\C-u search-clear
\e search-abort
\e[200~ bracketed-paste-begin
\C-? search-delete-char`

// defaultKeymaps returns the keymaps of an Editor before it is told anything.
func defaultKeymaps() map[string]*keymap {
	return map[string]*keymap{
		"emacs":            keymapOf(everywhereBindings, emacsBindings),
		"vi-insert":        keymapOf(everywhereBindings, viInsertBindings),
		"vi-command":       keymapOf(everywhereBindings, viCommandBindings),
		"vi-specification": keymapOf(everywhereBindings, viSpecificationBindings),
		"isearch":          keymapOf(isearchBindings),
		"vi-search":        keymapOf(searchBindings),
	}
}

// keymapOf makes a keymap of lists: a key, a space, and what it does.
func keymapOf(lists ...string) *keymap {
	m := newKeymap()
	for _, list := range lists {
		for _, row := range strings.Split(list, "\n")[1:] {
			i := strings.LastIndexByte(row, ' ')
			if err := m.bind(unescape(row[:i]), binding{does: row[i+1:]}); err != nil {
				panic("wheel: a binding that cannot be: " + row)
			}
		}
	}
	return m
}
