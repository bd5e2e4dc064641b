package smtp

// A LineClass is what POE::Component::Client::SMTP 0.22 makes of one line from the server.
type LineClass uint8

// The three classes.
const (
	BadLine      LineClass = iota // the delivery has failed, with this line as the reason
	GoodLine                      // the next command may go, whatever it is
	ContinueLine                  // there is more of this reply; nothing else is remembered of it
)

// String names the class: "bad", "good" or "continue".
func (c LineClass) String() string {
	switch c {
	case GoodLine:
		return "good"
	case ContinueLine:
		return "continue"
	default:
		return "bad"
	}
}

// ClassifyLine judges one line, without its line end, by itself, as version 0.22 of the component
// does: by its first digit if three digits are alone or a blank follows them. It asks neither what
// command the line answers nor what code the lines before it had. A ReplyParser does better.
//
// POE: the input handler of POE::Component::Client::SMTP.
func ClassifyLine(line []byte) LineClass {
	if len(line) < 3 || !isDigit(line[0]) || !isDigit(line[1]) || !isDigit(line[2]) {
		return BadLine
	}
	if len(line) > 3 && line[3] == '-' {
		return ContinueLine
	}
	if len(line) > 3 && !isBlank(line[3]) || line[0] < '1' || line[0] > '3' {
		return BadLine
	}
	return GoodLine
}

// isBlank reports whether c is white space to Perl.
func isBlank(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }
