package main

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/component/smtp/client"
)

// template makes of the flags what all messages have in common.
func (w *wayFlags) template() (client.Message, error) {
	m := client.Message{
		MyHostname: w.helo, Protocol: client.Protocol(w.protocol.value),
		TLS: client.TLSMode(w.tls.value), RequireTLS: w.requireTLS, Binary: w.binary,
		Timeout: w.timeout, Timeouts: w.timeouts.Timeouts, Deadline: w.deadline,
		AllOrNothing: w.allOrNothing, Compat: w.compat, Without: w.without,
		Return: smtp.Return(strings.ToUpper(w.dsnReturn.value)), EnvelopeID: w.dsnEnvelopeID,
	}
	if m.MyHostname == "" {
		m.MyHostname = ownName()
	}
	for _, attributes := range w.xclient {
		m.XClient = append(m.XClient, strings.Fields(attributes)...)
	}
	for _, step := range []func(*client.Message) error{
		w.checkTimes, w.setServer, w.setBind, w.setProxy, w.setTLS, w.setDKIM,
	} {
		if err := step(&m); err != nil {
			return m, err
		}
	}
	if _, err := w.notify(); err != nil {
		return m, err
	}
	var err error
	m.Auth, err = w.credentials()
	return m, err
}

func (w *wayFlags) checkTimes(*client.Message) error {
	switch {
	case w.timeout <= 0:
		return errors.New("--timeout must be above 0")
	case w.deadline < 0:
		return errors.New("--deadline must not be below 0")
	case w.retries < 0 || w.rate < 0:
		return errors.New("--retry and --rate must not be below 0")
	case w.retryAfter <= 0:
		return errors.New("--retry-after must be above 0")
	case w.connections <= 0:
		return errors.New("--connections must be above 0")
	}
	return nil
}

// setServer says where the message goes.
func (w *wayFlags) setServer(m *client.Message) error {
	if strings.HasPrefix(w.server, "/") {
		if w.port != "" {
			return errors.New("--port with the path of a socket")
		}
		m.Server = w.server
		return nil
	}
	host, port, err := splitHostPort(w.server, noPort)
	if port == noPort {
		port = ""
	}
	switch {
	case err != nil:
		return fmt.Errorf("--server: %w", err)
	case host == "":
		return errors.New("--server: the host is missing")
	case port != "" && w.port != "" && port != w.port:
		return fmt.Errorf("--server has port %s, and --port is %s", port, w.port)
	case port == "":
		port = w.port
	}
	if port != "" {
		if _, err := net.LookupPort("tcp", port); err != nil {
			return fmt.Errorf("--port: there is no port %q", port)
		}
	}
	m.Server, m.Port = host, port
	implicit := port == "465" || port == "smtps" || port == "submissions"
	if implicit && m.TLS == "" && !m.Compat {
		m.TLS = client.Implicit // nothing else is spoken there: RFC 8314
	}
	return nil
}

// noPort stands for a port that is not given.
const noPort = "0"

// place is where m goes, for people.
func place(m *client.Message) string {
	port := m.Port
	switch {
	case strings.HasPrefix(m.Server, "/"):
		return m.Server
	case port != "":
	case m.TLS == client.Implicit:
		port = "465"
	case m.Protocol == client.LMTP:
		port = "24"
	default:
		port = client.DefaultPort
	}
	return net.JoinHostPort(m.Server, port)
}

func (w *wayFlags) setBind(m *client.Message) (err error) {
	if w.bind == "" {
		return nil
	}
	if m.BindAddress, m.BindPort, err = splitHostPort(w.bind, noPort); err != nil {
		return fmt.Errorf("--bind: %w", err)
	}
	return nil
}

// setProxy reads SOURCE[,DESTINATION].
func (w *wayFlags) setProxy(m *client.Message) error {
	switch {
	case w.proxyVersion != 1 && w.proxyVersion != 2:
		return errors.New("--proxy-version must be 1 or 2")
	case w.proxy == "":
		return nil
	}
	m.Proxy = &client.Proxy{Version: w.proxyVersion}
	if w.proxy == "unknown" {
		return nil
	}
	source, destination, two := strings.Cut(w.proxy, ",")
	var err error
	if m.Proxy.Source, err = netip.ParseAddrPort(source); err == nil && two {
		m.Proxy.Destination, err = netip.ParseAddrPort(destination)
	}
	if err != nil {
		return fmt.Errorf("--proxy must be IP:PORT[,IP:PORT], or unknown: %w", err)
	}
	if !two { // the protocol has no room for half of it
		m.Proxy.Destination = unspecified(m.Proxy.Source)
	}
	return nil
}

// unspecified is an address of the same family that says nothing.
func unspecified(like netip.AddrPort) netip.AddrPort {
	if like.Addr().Unmap().Is4() {
		return netip.AddrPortFrom(netip.IPv4Unspecified(), 25)
	}
	return netip.AddrPortFrom(netip.IPv6Unspecified(), 25)
}

// setTLS says whom to trust, and who this client is. Without any such flag there is no
// configuration, since one makes the certificate matter.
func (w *wayFlags) setTLS(m *client.Message) error {
	if w.ca == "" && w.cert == "" && w.serverName == "" && !w.insecure {
		if w.key != "" {
			return errors.New("--key without --cert")
		}
		return nil
	}
	if m.TLS == client.Off {
		return errors.New("--tls off leaves nothing to do for --ca, --cert, --insecure and " +
			"--tls-server-name")
	}
	config := &tls.Config{ServerName: w.serverName, InsecureSkipVerify: w.insecure}
	if w.ca != "" {
		text, err := os.ReadFile(w.ca)
		if err != nil {
			return fail(exitNoInput, err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return failf(exitNoInput, "--ca: there is no certificate in %s", w.ca)
		}
	}
	if w.cert != "" {
		key := w.key
		if key == "" {
			key = w.cert
		}
		pair, err := tls.LoadX509KeyPair(w.cert, key)
		if err != nil {
			return failf(exitNoInput, "--cert: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	m.TLSConfig = config
	return nil
}

func (w *wayFlags) setDKIM(m *client.Message) error {
	if w.dkimDomain == "" && w.dkimSelector == "" && w.dkimKey == "" {
		return nil
	}
	if w.dkimDomain == "" || w.dkimSelector == "" || w.dkimKey == "" {
		return errors.New("--dkim-domain, --dkim-selector and --dkim-key go together")
	}
	key, err := readPrivateKey(w.dkimKey)
	if err != nil {
		return failf(exitNoInput, "--dkim-key: %w", err)
	}
	m.DKIM = &client.DKIM{Domain: w.dkimDomain, Selector: w.dkimSelector, Key: key}
	return nil
}

// readPrivateKey reads a private key in PEM, of one of the usual kinds.
func readPrivateKey(name string) (crypto.Signer, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s is not in PEM", name)
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s has no private key of RSA or Ed25519: %w", name, err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%s has a key that cannot sign", name)
	}
	return signer, nil
}

// notify returns the outcomes of which the sender wants to be told.
func (w *wayFlags) notify() (set smtp.Notify, err error) {
	bits := map[string]smtp.Notify{
		"never": smtp.NotifyNever, "success": smtp.NotifySuccess,
		"failure": smtp.NotifyFailure, "delay": smtp.NotifyDelay,
	}
	for _, word := range w.dsnNotify {
		bit, ok := bits[strings.ToLower(word)]
		if !ok {
			return 0, fmt.Errorf(
				"--dsn-notify must be never, or of success, failure and delay, not %q", word)
		}
		set |= bit
	}
	if set&smtp.NotifyNever != 0 && set != smtp.NotifyNever {
		return 0, errors.New("--dsn-notify: never goes with no other")
	}
	return set, nil
}

// address sets who sends m, and who gets it.
func (w *wayFlags) address(m *client.Message, from string, to []string) error {
	m.From, m.To = from, to
	if m.From == "" {
		m.From = client.NullSender
	}
	set, err := w.notify()
	if set != 0 {
		m.RcptParams = make([]smtp.RcptParams, len(to))
		for i := range m.RcptParams {
			m.RcptParams[i].Notify = set
		}
	}
	return err
}

// options are those of the client that sends.
func (w *wayFlags) options() client.Options {
	return client.Options{
		Alias: "mail", MaxConnections: w.connections, MaxDeliveries: w.connections, Rate: w.rate,
		Retry: client.Retry{Times: w.retries, First: w.retryAfter},
	}
}

// ownName returns what this host is called, if that can be said to a server.
func ownName() string {
	name, err := os.Hostname()
	if err != nil || smtp.CheckDomain(name, false) != nil {
		return client.DefaultHostname
	}
	return name
}
