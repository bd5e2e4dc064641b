// Command bench measures the module beside its peers, in the same run and in turns, and prints how
// much of a peer's time it takes.
//
//	go run ./test/bench            all that can run here
//	go run ./test/bench -run post  the measurements whose name matches
//
// The figures are processor time for one operation, in nanoseconds, with the least, the median and
// the largest of all rounds. A ratio is that of a peer's time to ours in the same round: 2.00 means
// that the peer takes twice as long. The absolute figures are good for nothing but the scale: a
// machine that does other things at the same time changes all of them.
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"text/tabwriter"
)

// A measurement is one kind of work, which we and our peers do.
type measurement struct {
	name  string
	unit  string // of what a contender returns; empty means nanoseconds
	ours  func() float64
	peers []contender
}

// A contender does the work once, and returns the figure for one operation.
type contender struct {
	name string
	run  func() (float64, error)
}

func main() {
	rounds := flag.Int("rounds", 5, "how often each contender runs")
	match := flag.String("run", "", "a regular expression: measure only what matches")
	flag.Parse()
	wanted, err := regexp.Compile(*match)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	perl, why := findPerl()
	if perl == nil {
		fmt.Println("Perl's POE is left out:", why)
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "work\twho\tleast\tmedian\tmost\tratio least\tmedian\tmost\t")
	for _, m := range kernelMeasurements(perl) {
		if wanted.MatchString(m.name) {
			measure(out, m, *rounds)
			_ = out.Flush()
		}
	}
}

// measure runs all contenders in turns, and prints a row for each.
func measure(out *tabwriter.Writer, m measurement, rounds int) {
	ours := make([]float64, 0, rounds)
	theirs := make([][]float64, len(m.peers))
	for range rounds {
		ours = append(ours, m.ours())
		for i, p := range m.peers {
			figure, err := p.run()
			if err != nil {
				fmt.Fprintf(os.Stderr, "bench: %s: %s: %v\n", m.name, p.name, err)
				continue
			}
			theirs[i] = append(theirs[i], figure)
		}
	}
	name := m.name
	if m.unit != "" {
		name += ", " + m.unit
	}
	row(out, name, "ours", ours, nil)
	for i, p := range m.peers {
		if len(theirs[i]) != len(ours) {
			continue
		}
		ratios := make([]float64, len(ours))
		for r := range ours {
			ratios[r] = theirs[i][r] / ours[r]
		}
		row(out, "", p.name, theirs[i], ratios)
	}
}

func row(out *tabwriter.Writer, work, who string, figures, ratios []float64) {
	fmt.Fprintf(out, "%s\t%s\t", work, who)
	for _, f := range spread(figures) {
		fmt.Fprintf(out, "%.1f\t", f)
	}
	for _, f := range spread(ratios) {
		fmt.Fprintf(out, "%.2f\t", f)
	}
	fmt.Fprintln(out)
}

// spread returns the least, the median and the largest, or nothing of nothing.
func spread(figures []float64) []float64 {
	if len(figures) == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(figures))
	return []float64{sorted[0], sorted[len(sorted)/2], sorted[len(sorted)-1]}
}
