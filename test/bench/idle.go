package main

import (
	"fmt"
	"strconv"
	"time"
)

// settling is how long a server has, after a burst, to come to rest.
const settling = 2 * time.Second

// idleTrials are connections on which nothing happens, after one line: what the whole process of
// the server takes.
func idleTrials() []trial {
	const connections = 8000
	run := func(role string) func() ([]float64, error) {
		return func() ([]float64, error) { return idle(role, connections) }
	}
	return []trial{{
		name:    fmt.Sprintf("%d idle connections", connections),
		figures: []string{"KiB resident", "KiB before the first", "KiB of heap", "goroutines"},
		entrants: []entrant{
			{"ours", run("ours echo")}, {"gnet", run("gnet echo")}, {"net", run("net echo")},
		},
	}}
}

// idle returns the KiB that a process has in memory, those that it had without connections, which
// is mostly what this program has in it, those of its heap, and its goroutines.
func idle(role string, connections int) (figures []float64, err error) {
	err = withServer(role, false, func(s *server) error {
		before := resident(strconv.Itoa(s.cmd.Process.Pid))
		c, err := load{connections: connections, inFlight: 1}.connect(s.addr)
		if err != nil {
			return err
		}
		defer c.close()
		if err := c.greet(); err != nil {
			return err
		}
		time.Sleep(settling)
		u, err := s.usage(true)
		figures = []float64{
			float64(u.Resident) / 1024, float64(before) / 1024, float64(u.Heap) / 1024,
			float64(u.Goroutines),
		}
		return err
	})
	return figures, err
}
