package client

// fill fills in what m leaves out of how to reach a server and how to talk to it.
func (d *Message) fill(m *Message) {
	for _, f := range []struct{ to, from *string }{
		{&m.Server, &d.Server}, {&m.Port, &d.Port}, {&m.MyHostname, &d.MyHostname},
		{&m.BindAddress, &d.BindAddress}, {&m.BindPort, &d.BindPort},
		{(*string)(&m.Protocol), (*string)(&d.Protocol)}, {(*string)(&m.TLS), (*string)(&d.TLS)},
	} {
		if *f.to == "" {
			*f.to = *f.from
		}
	}
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
