package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// drawTime is how often the progress is shown.
const drawTime = 100 * time.Millisecond

// A progress shows how many messages are sent, at a terminal.
type progress struct {
	bar   *progressbar.ProgressBar
	total int
}

// newProgress returns nil if nobody would see it.
func newProgress(w io.Writer, total int) *progress {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return nil
	}
	return &progress{total: total, bar: progressbar.NewOptions(total,
		progressbar.OptionSetWriter(file),
		progressbar.OptionFullWidth(),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("messages"),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetElapsedTime(false),
	)}
}

// draw shows what is counted so far. That it cannot be shown is no reason not to send.
func (p *progress) draw(t tally) {
	text := octets(t.octets + t.moving)
	if t.failed > 0 {
		text += fmt.Sprintf(", %d failed", t.failed)
	}
	if done := t.sent + t.failed; done < p.total { // the last one would end the bar
		_ = p.bar.Set(done)
	}
	p.bar.Describe(text)
}

// clear takes it away, until it is drawn again.
func (p *progress) clear() { _ = p.bar.Clear() }

// octets is a length for people.
func octets(n int64) string {
	value, unit := float64(n), "octets"
	for _, larger := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if value < 1000 {
			break
		}
		value, unit = value/1024, larger
	}
	if unit == "octets" {
		return fmt.Sprintf("%d octets", n)
	}
	return fmt.Sprintf("%.1f %s", value, unit)
}
