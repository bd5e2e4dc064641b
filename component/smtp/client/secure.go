package client

import (
	"crypto/tls"
	"errors"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/wheel"
)

// startTLS begins the handshake, if the server agrees.
func (c *conn) startTLS(_ step, r *smtp.Reply) {
	switch {
	case r.Code == smtp.CodeServiceReady:
		c.beginTLS()
	case c.indifferent():
		c.introduce()
	default:
		c.refused(StageTLS, r)
	}
}

// indifferent reports whether the message may be sent without TLS.
func (c *conn) indifferent() bool { return c.m.TLS == Opportunistic && !c.m.careful() }

// careful reports whether the server has to prove who it is.
func (m *Message) careful() bool {
	return m.TLS != Opportunistic || m.TLSConfig != nil || m.wantsAuth() || m.RequireTLS
}

// beginTLS begins the handshake. Its end is the event connection_secured, or an error.
func (c *conn) beginTLS() {
	c.stage = StageTLS
	c.progress(c.cur, StageTLS, "", "")
	if err := c.rw.StartTLS(wheel.TLSOptions{Config: c.tlsConfig()}); err != nil {
		c.notSecured(err) // whoever said something in advance may be somebody else
		return
	}
	c.alive()
}

// tlsConfig returns what the message says of TLS, with what it leaves out.
func (c *conn) tlsConfig() *tls.Config {
	if c.pool != nil && c.pool.tls != nil {
		return c.pool.tls
	}
	config := &tls.Config{}
	if c.m.TLSConfig != nil {
		config = c.m.TLSConfig.Clone()
	}
	if config.ServerName == "" {
		config.ServerName, _ = asciiHost(c.m.Server) // check has found nothing against it
	}
	if isPath(config.ServerName) {
		config.ServerName = DefaultServer
	}
	if config.Time == nil {
		config.Time = c.s.Kernel().Now
	}
	if !c.m.careful() {
		config.InsecureSkipVerify = true // RFC 7435: better than nothing
	}
	if c.pool != nil {
		if config.ClientSessionCache == nil {
			config.ClientSessionCache = tls.NewLRUClientSessionCache(sessionCache)
		}
		c.pool.tls = config
	}
	return config
}

// sessionCache is how many TLS sessions of one destination are kept, to be resumed.
const sessionCache = 4

// secured goes on with a connection on which nobody listens any more. What the server has said
// before does not count (RFC 3207, section 4.2).
func (c *conn) secured(_ *kernel.Event, s *wheel.Secured) {
	c.tls = &s.ConnectionState
	c.offer(nil)
	if c.m.TLS == Implicit {
		c.expect(step{stage: StageGreeting, then: (*conn).greeted})
		c.alive()
		return
	}
	c.hello(c.firstHello())
}

// notSecured is when the handshake has failed. Where TLS does not matter the server is called
// again, to talk without.
func (c *conn) notSecured(err error) {
	if c.over() || !c.indifferent() || c.plain {
		c.fail(&Failure{Kind: NotSecure, Stage: StageTLS, Err: err})
		return
	}
	c.rw.Close()
	c.rw = nil
	c.sockets.Close()
	c.plain = true
	c.offer(nil)
	c.expected = fifo[step]{}
	c.parser.Reset()
	c.put, c.noticed, c.writeErr = 0, 0, nil
	c.dial()
}

// errPlaintext is for a server that offers REQUIRETLS where there is no TLS.
var errPlaintext = errors.New("RequireTLS needs a connection with TLS to a server that offers REQUIRETLS")
