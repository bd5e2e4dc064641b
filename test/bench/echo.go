package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"

	"github.com/panjf2000/gnet/v2"
	"go.uber.org/zap"

	"github.com/go-poe/poe/component/tcp"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/wheel"
)

// echoTrials are lines that servers send back, with so many connections and so many lines on their
// way on each.
func echoTrials() []trial {
	var list []trial
	for _, l := range []load{
		{connections: 1, inFlight: 1},
		{connections: 100, inFlight: 1}, {connections: 100, inFlight: 16},
		{connections: 1000, inFlight: 1}, {connections: 1000, inFlight: 16},
	} {
		list = append(list, trial{
			name:     fmt.Sprintf("echo lines, %d connections, %d in flight", l.connections, l.inFlight),
			figures:  []string{"clock", "processor"},
			entrants: []entrant{{name: "ours"}, {name: "gnet"}, {name: "net"}},
			together: func() ([][]float64, error) {
				return takeTurns([]string{"ours echo", "gnet echo", "net echo"}, false, l.client)
			},
		})
	}
	return list
}

// ourEcho is a server of ours, with its defaults.
func ourEcho(listening func(addr string)) error {
	return ourServer(listening, tcp.ServerOptions{ClientInput: sendBack})
}

func sendBack(c *tcp.Conn, in *wheel.Input) { _ = c.Put(in.Bytes) }

// ourServer is a server of ours. It listens on this machine alone.
func ourServer(listening func(addr string), opts tcp.ServerOptions) error {
	k, err := kernel.New(kernel.Options{})
	if err != nil {
		return err
	}
	opts.Address = "127.0.0.1"
	s, err := tcp.SpawnServer(k.Root(), opts)
	if err != nil {
		return err
	}
	addr, err := s.Addr()
	if err != nil {
		return err
	}
	listening(addr.String())
	return k.Run(context.Background())
}

// gnetEcho is a server on gnet's engine, with one loop.
func gnetEcho(listening func(addr string)) error {
	addr, err := freeAddr()
	if err != nil {
		return err
	}
	// Its messages would come between the address and the answers.
	quiet := gnet.WithLogger(zap.NewNop().Sugar())
	return gnet.Run(&gnetLines{listening: listening, addr: addr}, "tcp://"+addr, quiet)
}

type gnetLines struct {
	gnet.BuiltinEventEngine
	listening func(addr string)
	addr      string
	out       []byte
}

func (g *gnetLines) OnBoot(gnet.Engine) gnet.Action {
	g.listening(g.addr)
	return gnet.None
}

// OnTraffic sends the whole lines back, in one write.
func (g *gnetLines) OnTraffic(c gnet.Conn) gnet.Action {
	in, err := c.Peek(-1)
	if err != nil {
		return gnet.Close
	}
	g.out = g.out[:0]
	used := 0
	for {
		n := bytes.IndexByte(in[used:], '\n')
		if n < 0 {
			break
		}
		line := bytes.TrimSuffix(in[used:used+n], []byte("\r"))
		g.out = append(append(g.out, line...), "\r\n"...)
		used += n + 1
	}
	if used == 0 { // for 0, Discard takes all
		return gnet.None
	}
	if _, err := c.Discard(used); err != nil {
		return gnet.Close
	}
	if _, err := c.Write(g.out); err != nil {
		return gnet.Close
	}
	return gnet.None
}

// freeAddr returns an address of this machine that nobody listens at: gnet does not tell which one
// it has got.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// netEcho is a server with a goroutine for each connection.
func netEcho(listening func(addr string)) error { return netServe(listening, sendLinesBack) }

// sendLinesBack sends all lines back that have come together in one write.
func sendLinesBack(c net.Conn) {
	in, out := bufio.NewReader(c), bufio.NewWriter(c)
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		_, _ = out.Write(bytes.TrimRight(line, "\r\n")) // Flush has the error
		_, _ = out.WriteString("\r\n")
		if in.Buffered() > 0 {
			continue
		}
		if err := out.Flush(); err != nil {
			return
		}
	}
}

// netServe has each connection served on a goroutine of its own.
func netServe(listening func(addr string), f func(c net.Conn)) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	listening(l.Addr().String())
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			f(c)
		}()
	}
}
