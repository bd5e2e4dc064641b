// Command bench measures the module beside its peers, in the same run and in turns, and prints how
// much of a peer's time it takes.
//
//	go run ./test/bench            all that can run here
//	go run ./test/bench -run post  the measurements whose name matches
//
// The figures are processor time for one operation, in nanoseconds where the name of the work says
// nothing else, with the least, the median and the largest of all rounds. A ratio is that of a
// peer's figure to ours in the same round: 2.00 means that the peer takes twice as long. Where more
// is better, as with messages/s, it is that of ours to the peer's, and 2.00 means the same. The
// absolute figures are good for nothing but the scale: a machine that does other things at the same
// time changes all of them.
//
// Servers run in processes of their own, which are this program again, and end with it. All that
// talks to them is here, and the same for all.
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

// A trial is a measurement with several figures: one run of an entrant gives all of them.
type trial struct {
	name     string
	figures  []string // what they are, and their units; they follow the name
	rates    int      // so many of them, the first, are better the larger: a ratio is of ours
	entrants []entrant

	// together, if there is one, is one run of all entrants, which work in turns. They have no run
	// of their own then.
	together func() (figures [][]float64, err error)
}

// An entrant does the work of a trial once, and returns the figures. The first one of a trial is
// ours.
type entrant struct {
	name string
	run  func() ([]float64, error)
}

// trial returns the measurement as a trial with one figure.
func (m measurement) trial() trial {
	t := trial{name: m.name, figures: []string{m.unit}}
	t.entrants = append(t.entrants, entrant{"ours", func() ([]float64, error) {
		return []float64{m.ours()}, nil
	}})
	for _, p := range m.peers {
		t.entrants = append(t.entrants, entrant{p.name, func() ([]float64, error) {
			figure, err := p.run()
			return []float64{figure}, err
		}})
	}
	return t
}

func main() {
	rounds := flag.Int("rounds", 5, "how often each contender runs")
	match := flag.String("run", "", "a regular expression: measure only what matches")
	role := flag.String("serve", "", "be a server of that name for another such process")
	job := flag.String("send", "", "do a sender's job, in JSON, for another such process")
	profiles := flag.String("profiles", "", "a folder for profiles of what we send mail with")
	flag.Parse()
	wanted, err := regexp.Compile(*match)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	if *role != "" {
		serve(*role)
		return
	}
	if *job != "" {
		serveSend(*job)
		return
	}
	perl, why := findPerl()
	if perl == nil {
		fmt.Println("Perl's POE is left out:", why)
	}
	var trials []trial
	for _, m := range kernelMeasurements(perl) {
		trials = append(trials, m.trial())
	}
	trials = append(trials, networkTrials()...)
	trials = append(trials, smtpTrials(smtpOptions{profiles: *profiles})...)
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "work\twho\tleast\tmedian\tmost\tratio least\tmedian\tmost\t")
	for _, t := range trials {
		if wanted.MatchString(t.name) {
			t.measure(out, *rounds)
			_ = out.Flush()
		}
	}
}

// measure runs all entrants in turns, and prints a row for each of them and each figure. One that
// fails has no row.
func (t trial) measure(out *tabwriter.Writer, rounds int) {
	results := make([][][]float64, len(t.entrants)) // by entrant, then by round
	for range rounds {
		for i, figures := range t.round() {
			if figures != nil {
				results[i] = append(results[i], figures)
			}
		}
	}
	for f, unit := range t.figures {
		name := t.name
		if unit != "" {
			name += ", " + unit
		}
		ours := column(results[0], f)
		for i, e := range t.entrants {
			if len(results[i]) != rounds {
				continue
			}
			theirs := column(results[i], f)
			var ratios []float64
			for r := 0; i > 0 && r < len(ours); r++ {
				ratio := theirs[r] / ours[r]
				if f < t.rates {
					ratio = 1 / ratio
				}
				ratios = append(ratios, ratio)
			}
			row(out, name, e.name, theirs, ratios)
			name = ""
		}
	}
}

// round runs all entrants once, and returns the figures of each. One that fails has none.
func (t trial) round() [][]float64 {
	if t.together != nil {
		figures, err := t.together()
		if err != nil {
			fmt.Fprintf(os.Stderr, "bench: %s: %v\n", t.name, err)
		}
		return figures
	}
	all := make([][]float64, len(t.entrants))
	for i, e := range t.entrants {
		figures, err := e.run()
		if err != nil {
			fmt.Fprintf(os.Stderr, "bench: %s: %s: %v\n", t.name, e.name, err)
			continue
		}
		all[i] = figures
	}
	return all
}

// column returns one figure of each round.
func column(results [][]float64, f int) []float64 {
	figures := make([]float64, len(results))
	for r := range results {
		figures[r] = results[r][f]
	}
	return figures
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
