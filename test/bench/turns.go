package main

import (
	"errors"
	"time"
)

// How servers are measured side by side: all are there at the same time, and work in turns that are
// so short that what else the machine does hits them alike.
const (
	warming = 200 * time.Millisecond
	turn    = 200 * time.Millisecond
	breath  = 10 * time.Millisecond // after a turn, for a server to finish what it has begun
	turns   = 5
)

// A client has a server do something for so long, and returns how often it has.
type client interface {
	work(during time.Duration) (times float64, err error)
	close()
}

// takeTurns has each of the servers work in turns, and returns for each the nanoseconds that it
// takes to do something once, by the clock, and those of its processor.
func takeTurns(
	roles []string, oneProcessor bool, connect func(addr string) (client, error),
) (figures [][]float64, err error) {
	players := make([]*player, len(roles))
	for i, role := range roles {
		p, startErr := newPlayer(role, oneProcessor, connect)
		if startErr != nil {
			return nil, startErr
		}
		defer func() { err = errors.Join(err, p.end()) }()
		players[i] = p
	}
	for _, p := range players {
		if _, err := p.client.work(warming); err != nil {
			return nil, err
		}
	}
	for range turns {
		for _, p := range players {
			if err := p.play(); err != nil {
				return nil, err
			}
		}
	}
	for _, p := range players {
		figures = append(figures, []float64{
			float64(p.clock) / p.times, float64(p.processor) / p.times,
		})
	}
	return figures, nil
}

// A player is a server with its client, and what they have done so far.
type player struct {
	server    *server
	client    client
	times     float64
	clock     time.Duration
	processor time.Duration
}

func newPlayer(
	role string, oneProcessor bool, connect func(addr string) (client, error),
) (*player, error) {
	s, err := startServer(role, oneProcessor)
	if err != nil {
		return nil, err
	}
	c, err := connect(s.addr)
	if err != nil {
		s.stop()
		return nil, err
	}
	return &player{server: s, client: c}, nil
}

// play is one turn.
func (p *player) play() error {
	before, err := p.server.usage(false)
	if err != nil {
		return err
	}
	began := time.Now()
	times, err := p.client.work(turn)
	if err != nil {
		return err
	}
	p.times += times
	p.clock += time.Since(began)
	time.Sleep(breath)
	after, err := p.server.usage(false)
	p.processor += after.Processor - before.Processor
	return err
}

// end ends the client and the server, which must not have ended before.
func (p *player) end() error {
	p.client.close()
	return p.server.end()
}
