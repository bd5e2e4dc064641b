package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/component/tcp"
	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// enough is time for everything that a test has to do, many times over.
const enough = 30 * time.Second

// start runs the program, and returns the address at which it listens. When the test is over, the
// program is, too.
func start(t *testing.T, flags ...string) (addr string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	code := make(chan int, 1)
	read, log := io.Pipe()
	go func() {
		code <- run(ctx, append(flags, "-listen", "127.0.0.1:0"), log)
		log.Close()
	}()
	t.Cleanup(func() {
		cancel()
		if got := <-code; got != 0 {
			t.Errorf("the program ended with code %d", got)
		}
	})
	lines := bufio.NewReader(read)
	first, err := lines.ReadString('\n')
	addr, ok := strings.CutPrefix(first, "listening at ")
	if !ok {
		t.Fatalf("the program says %q, %v", first, err)
	}
	go io.Copy(os.Stderr, lines)
	return strings.TrimSpace(addr)
}

// A browser is one connection.
type browser struct {
	*testing.T
	net.Conn
	*bufio.Reader
}

func browse(t *testing.T, addr string) browser {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr, enough)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(enough))
	return browser{t, c, bufio.NewReader(c)}
}

func (b browser) sends(text string) { io.WriteString(b.Conn, text) }

// gets reads the response to a request of a method, checks its status, and returns its content.
func (b browser) gets(method string, status int) (res *http.Response, content string) {
	b.Helper()
	res, err := http.ReadResponse(b.Reader, &http.Request{Method: method})
	if err != nil {
		b.Fatal(err)
	}
	all, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != status {
		b.Errorf("got status %d, %v, want %d", res.StatusCode, err, status)
	}
	return res, string(all)
}

// getsEnd checks that the connection is at its end.
func (b browser) getsEnd() {
	b.Helper()
	if c, err := b.ReadByte(); err != io.EOF {
		b.Errorf("got %q, %v, want the end", c, err)
	}
}

// Several requests follow each other on one connection, also before the answers have come.
func TestKeepAlive(t *testing.T) {
	b := browse(t, start(t))
	b.sends("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	res, content := b.gets("GET", 200)
	if !strings.HasPrefix(content, "<!doctype html>") || res.Header.Get("Date") == "" {
		t.Errorf("got %v, %q", res.Header, content)
	}
	b.sends("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello" +
		"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n" +
		"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" +
		"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n" +
		"GET /status HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	if _, got := b.gets("POST", 200); got != "hello" {
		t.Errorf("the echo is %q, want hello", got)
	}
	if head, got := b.gets("HEAD", 200); got != "" || head.ContentLength != int64(len(content)) {
		t.Errorf("HEAD has the length %d and %q, want %d", head.ContentLength, got, len(content))
	}
	if _, got := b.gets("POST", 200); got != "abc" {
		t.Errorf("the echo is %q, want abc", got)
	}
	if _, got := b.gets("POST", 200); got != "" {
		t.Errorf("the echo is %q, want nothing", got)
	}
	res, content = b.gets("GET", 200)
	var state struct{ Clients, Requests int }
	if err := json.Unmarshal([]byte(content), &state); err != nil || state.Clients != 1 ||
		state.Requests != 6 || !res.Close {
		t.Errorf("the state is %q, %v, and the end is near: %v", content, err, res.Close)
	}
	b.getsEnd()
}

// A client of net/http keeps its connection, and understands everything.
func TestClient(t *testing.T) {
	addr := start(t)
	client := &http.Client{Timeout: enough}
	defer client.CloseIdleConnections()
	for range 3 {
		res, err := client.Post("http://"+addr+"/echo", "text/plain", strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		res.Body.Close()
		if string(got) != "hello" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	}
	res, err := client.Get("http://" + addr + "/status")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var state struct{ Clients, Requests int }
	if err := json.NewDecoder(res.Body).Decode(&state); err != nil || state.Clients != 1 {
		t.Errorf("got %+v, %v, want 1 client", state, err)
	}
}

// What cannot be answered is refused, and where nobody knows what comes next, that is the end.
func TestRefusals(t *testing.T) {
	addr := start(t, "-head", "200", "-content", "10")
	for _, test := range []struct {
		name   string
		text   string
		status int
		end    bool
	}{
		{"no such page", "GET /x HTTP/1.1\r\nHost: h\r\n\r\n", 404, false},
		{"wrong method", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 405, false},
		{"no host", "GET / HTTP/1.1\r\n\r\n", 400, false},
		{"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 200, true},
		{"HTTP/1.0, and go on", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, false},
		{"nonsense", "nonsense\r\n\r\n", 400, true},
		{"two lengths", "POST /echo HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
			400, true},
		{"too much content", "POST /echo HTTP/1.1\r\nContent-Length: 11\r\n\r\n", 413, true},
		{"too much in chunks", "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" +
			"b\r\nhello world\r\n", 413, true},
		{"head without end", "GET /" + strings.Repeat("x", 200), 431, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := browse(t, addr)
			b.sends(test.text)
			res, _ := b.gets("GET", test.status)
			if res.Close != test.end {
				t.Errorf("the response closes %v, want %v", res.Close, test.end)
			}
			if test.end {
				b.getsEnd()
				return
			}
			b.sends("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
			b.gets("GET", 200)
			b.getsEnd()
		})
	}
}

// A client that goes on sending what nobody wants still gets to know why nobody wants it.
func TestRefusalArrives(t *testing.T) {
	b := browse(t, start(t))
	b.sends("POST /echo HTTP/1.1\r\nContent-Length: 4000000\r\n\r\n" + strings.Repeat("x", 4000000))
	b.gets("POST", 413)
	b.getsEnd()
}

// A page says by which methods it can be had.
func TestAllow(t *testing.T) {
	b := browse(t, start(t))
	for path, want := range map[string]string{"/": "GET, HEAD", "/echo": "POST"} {
		b.sends("DELETE " + path + " HTTP/1.1\r\nHost: h\r\n\r\n")
		if res, _ := b.gets("DELETE", 405); res.Header.Get("Allow") != want {
			t.Errorf("%s allows %q, want %q", path, res.Header.Get("Allow"), want)
		}
	}
}

// From a client that asks much and reads nothing, no more is taken than a few answers' worth. When
// it reads, it gets an answer to each request that it had room to send.
func TestBackPressure(t *testing.T) {
	const request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
	const bound = 512 << 10 // two reads, and what the world holds on its way
	world := sim.NewWorld()
	k, s := simulated(t, world)
	addr, err := s.server.Addr()
	if err != nil {
		t.Fatal(err)
	}
	client, err := world.Socket("tcp4")
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Connect(addr); err != nil && err != kernel.ErrAgain {
		t.Fatal(err)
	}
	block := []byte(strings.Repeat(request, 1000))
	sent, stuck := 0, 0
	var got []byte
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Delay("send", time.Millisecond) },
		"send": func(e *kernel.Event) {
			n, _ := client.Write(block[sent%len(request):])
			if sent += n; n > 0 {
				stuck = 0
			} else if stuck++; stuck == 10 {
				client.CloseWrite()
				e.Session.Yield("receive")
				return
			}
			if sent > bound {
				t.Errorf("%d bytes were sent, want no more than %d", sent, bound)
				k.Stop()
				return
			}
			e.Session.Delay("send", time.Millisecond)
		},
		"receive": func(e *kernel.Event) {
			buf := make([]byte, 64<<10)
			n, err := client.Read(buf)
			got = append(got, buf[:n]...)
			if err == io.EOF {
				client.Close()
				s.server.Shutdown()
				return
			}
			e.Session.Delay("receive", time.Millisecond)
		},
	})
	if err := k.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	answers := strings.Count(string(got), "HTTP/1.1 200 OK")
	if want := sent / len(request); answers != want || sent < highMark/10 {
		t.Errorf("%d bytes were sent, and %d requests answered, want %d", sent, answers, want)
	}
}

// A client that says one byte a second, or nothing, is shown out when its time is over.
func TestTooSlow(t *testing.T) {
	const dribble = "GET / HTTP/1.1\r\nHost: a-host-with-a-name-that-takes-a-while\r\n\r\n"
	for _, test := range []struct {
		name  string
		text  string
		after time.Duration // from byte to byte
		ends  time.Duration
		want  string
	}{
		{"dribbles", dribble, time.Second, 30 * time.Second, "HTTP/1.1 408 Request Timeout"},
		{"says nothing", "", 0, 30 * time.Second, ""},
		{"is idle", dribble, 0, 30 * time.Second, "HTTP/1.1 200 OK"},
		{"begins anew", dribble + "GET", 100 * time.Millisecond,
			time.Duration(len(dribble)-1)*100*time.Millisecond + 30*time.Second, "HTTP/1.1 200 OK"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, ends := talk(t, test.text, test.after)
			first, _, _ := strings.Cut(got, "\r\n")
			if first != test.want {
				t.Errorf("got %q, want %q", first, test.want)
			}
			if ends.Round(100*time.Millisecond) != test.ends {
				t.Errorf("it ended after %v, want %v", ends, test.ends)
			}
			if asked := strings.Contains(got, "408"); asked != (test.text != "" && test.name != "is idle") {
				t.Errorf("got %q", got)
			}
		})
	}
}

// simulated returns a kernel in a simulated world, and a site in it at port 8080.
func simulated(t *testing.T, world *sim.World) (*kernel.Kernel, *site) {
	t.Helper()
	k, err := kernel.New(kernel.Options{Loop: world})
	if err != nil {
		t.Fatal(err)
	}
	o, err := parse([]string{"-listen", "127.0.0.1:8080"}, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	s, err := serve(k, o, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return k, s
}

// talk says a text to a server in a simulated world, byte by byte, and returns what came back, and
// when the connection ended.
func talk(t *testing.T, text string, after time.Duration) (got string, ends time.Duration) {
	t.Helper()
	world := sim.NewWorld()
	k, s := simulated(t, world)
	_, err := tcp.SpawnClient(k.Root(), tcp.ClientOptions{
		RemoteAddress: "127.0.0.1",
		RemotePort:    "8080",
		Filter:        filter.NewStream(filter.StreamOptions{}),
		Connected: func(c *tcp.Client) {
			for i := range len(text) {
				c.Session.DelayAdd("say", time.Duration(i)*after, text[i:i+1])
			}
		},
		Events: map[string]kernel.HandlerFunc{
			"say": func(e *kernel.Event) { tcp.ConnOf(e).PutString(kernel.Arg[string](e, 0)) },
		},
		ServerInput:  func(_ *tcp.Client, in *wheel.Input) { got += string(in.Bytes) },
		Disconnected: func(*tcp.Client) { ends = world.Elapsed(); s.server.Shutdown() },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return got, ends
}

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"help", []string{"-help"}, 0, "usage: web"},
		{"unknown flag", []string{"-nonsense"}, 2, "usage: web"},
		{"an argument", []string{"x"}, 2, `"x"`},
		{"no address", []string{"-listen", "x"}, 2, "missing port"},
		{"no head", []string{"-head", "0"}, 2, "too small"},
		{"endless content", []string{"-content", "99999999999"}, 2, "too large"},
		{"a wrong address", []string{"-listen", "192.0.2.1:1"}, 1, "bind"},
	} {
		var log strings.Builder
		if code := run(t.Context(), test.args, &log); code != test.code {
			t.Errorf("%s: code %d, want %d", test.name, code, test.code)
		}
		if !strings.Contains(log.String(), test.want) {
			t.Errorf("%s: it says %q, and not %q", test.name, log.String(), test.want)
		}
	}
}
