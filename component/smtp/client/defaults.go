package client

// fill fills in what m leaves out of how to reach a server and how to talk to it.
func (d *Message) fill(m *Message) {
	orElse(&m.Server, d.Server)
	orElse(&m.Port, d.Port)
	orElse(&m.MyHostname, d.MyHostname)
	orElse(&m.BindAddress, d.BindAddress)
	orElse(&m.BindPort, d.BindPort)
	orElse(&m.Protocol, d.Protocol)
	orElse(&m.TLS, d.TLS)
	if m.TLSConfig == nil {
		m.TLSConfig = d.TLSConfig
	}
	if m.Auth == nil {
		m.Auth = d.Auth
	}
	if m.Proxy == nil {
		m.Proxy = d.Proxy
	}
	if m.XClient == nil {
		m.XClient = d.XClient
	}
	if m.Without == nil {
		m.Without = d.Without
	}
	if m.Timeout == 0 {
		m.Timeout = d.Timeout
	}
	if m.Timeouts == (Timeouts{}) {
		m.Timeouts = d.Timeouts
	}
	if m.Deadline == 0 {
		m.Deadline = d.Deadline
	}
	if m.DKIM == nil {
		m.DKIM = d.DKIM
	}
}

// orElse fills in what is empty.
func orElse[S ~string](s *S, otherwise S) {
	if *s == "" {
		*s = otherwise
	}
}
