package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/go-poe/poe/component/smtp/client"
)

// The flags by which a message leaves this machine: those that poe send and poe sendmail share, and
// that an account may set.
type wayFlags struct {
	server, port  string
	protocol      choice
	helo          string
	bind          string
	proxy         string
	proxyVersion  int
	xclient       []string
	without       []string
	compat        bool
	tls           choice
	ca, cert, key string
	serverName    string
	insecure      bool

	auth         string
	user         string
	identity     string
	password     string
	passwordFile string
	passwordEnv  string
	tokenFile    string
	cleartext    bool

	from                              string
	dkimDomain, dkimSelector, dkimKey string
	dsnReturn                         choice
	dsnEnvelopeID                     string
	dsnNotify                         []string
	requireTLS, binary, allOrNothing  bool
	timeout, deadline                 time.Duration
	timeouts                          phases
	retries, rate, connections        int
	retryAfter                        time.Duration
	account, accounts                 string
	log, json, quiet                  bool
	logFile                           string

	own []string // the names of all these, as far as an account may set them
}

// newWayFlags returns the flags as they are if nobody says anything.
func newWayFlags() *wayFlags {
	return &wayFlags{
		protocol:  choice{of: []string{"smtp", "lmtp"}},
		tls:       choice{of: []string{"off", "opportunistic", "required", "implicit"}},
		dsnReturn: choice{of: []string{"full", "hdrs"}},
	}
}

// A flagGroup is flags that are explained together.
type flagGroup struct {
	title string
	flags *pflag.FlagSet
}

// newFlagGroup returns a group without flags. They are explained in the order in which they come.
func newFlagGroup(title string) flagGroup {
	f := pflag.NewFlagSet(title, pflag.ContinueOnError)
	f.SortFlags = false
	return flagGroup{title, f}
}

// groups makes the flags, by what they are about. They have their defaults after that.
func (w *wayFlags) groups() []flagGroup {
	groups := []flagGroup{w.serverFlags(), w.tlsFlags(), w.authFlags(), w.messageFlags(),
		w.paceFlags(), w.outputFlags()}
	w.own = accountFlags(groups)
	return groups
}

func (w *wayFlags) serverFlags() flagGroup {
	g := newFlagGroup("The server")
	f := g.flags
	f.StringVarP(&w.server, "server", "s", "",
		"`HOST[:PORT]` to send to, or the path of a unix socket")
	f.StringVar(&w.port, "port", "",
		"`PORT`, by number or name (default 25; implicit TLS 465, LMTP 24)")
	f.Var(&w.protocol, "protocol", "smtp, or lmtp for a server that delivers itself (default smtp)")
	f.StringVar(&w.helo, "helo", "", "`NAME` of this host, for EHLO (default: what it is called)")
	f.StringVar(&w.bind, "bind", "", "`ADDRESS[:PORT]` of this host to connect from")
	f.StringSliceVar(&w.without, "without", nil,
		"`EXTENSION` not to use even if it is offered, such as CHUNKING; may be given again")
	f.StringVar(&w.proxy, "proxy", "",
		"`SOURCE[,DESTINATION]` to announce by the PROXY protocol: IP:PORT each, or unknown")
	f.IntVar(&w.proxyVersion, "proxy-version", 1, "`VERSION` of the PROXY protocol: 1 or 2")
	f.StringArrayVar(&w.xclient, "xclient", nil,
		"`ATTRIBUTES` of the client to speak for, as ADDR=192.0.2.1; may be given again")
	f.BoolVar(&w.compat, "compat", false,
		"the dialogue of POE::Component::Client::SMTP 0.22: one command at a time, no TLS")
	return g
}

func (w *wayFlags) tlsFlags() flagGroup {
	g := newFlagGroup("TLS")
	f := g.flags
	f.Var(&w.tls, "tls",
		"off, opportunistic, required (STARTTLS), or implicit (default: implicit for\n"+
			"port 465, else opportunistic)")
	f.StringVar(&w.ca, "ca", "", "`FILE` of certificates, in PEM, to trust instead of the system's")
	f.StringVar(&w.cert, "cert", "", "`FILE` with the client's certificate, in PEM")
	f.StringVar(&w.key, "key", "", "`FILE` with its key, in PEM (default: that of --cert)")
	f.StringVar(&w.serverName, "tls-server-name", "",
		"`NAME` that the certificate must have (default: the server's)")
	f.BoolVar(&w.insecure, "insecure", false,
		"take any certificate: whoever is on the way can read and change all")
	return g
}

func (w *wayFlags) authFlags() flagGroup {
	g := newFlagGroup("Authentication")
	f := g.flags
	f.StringVarP(&w.user, "user", "u", "", "`NAME` to authenticate as")
	f.StringVar(&w.passwordFile, "password-file", "", "`FILE` whose first line is the password")
	f.StringVar(&w.passwordEnv, "password-env", "",
		"`VARIABLE` with the password (default: "+passwordVariable+
			"; if there is none, you are asked)")
	f.StringVar(&w.password, "password", "",
		"`PASSWORD`; others on this machine can see it, so rather use one of the above")
	f.StringVar(&w.tokenFile, "token-file", "",
		"`FILE` whose first line is an OAuth access token")
	f.StringVar(&w.auth, "auth", "", "`MECHANISM` (default: the strongest that is possible)")
	f.StringVar(&w.identity, "identity", "", "`NAME` on whose behalf (default: the user's own)")
	f.BoolVar(&w.cleartext, "cleartext", false,
		"allow the password, or the token, on a connection without TLS")
	return g
}

func (w *wayFlags) messageFlags() flagGroup {
	g := newFlagGroup("What is asked for the message")
	f := g.flags
	f.BoolVar(&w.allOrNothing, "all-or-nothing", false,
		"send to nobody if one recipient is refused")
	f.StringVar(&w.dkimDomain, "dkim-domain", "", "`DOMAIN` that signs the message (DKIM)")
	f.StringVar(&w.dkimSelector, "dkim-selector", "", "`SELECTOR` of the key in that domain")
	f.StringVar(&w.dkimKey, "dkim-key", "", "`FILE` with the private key, RSA or Ed25519, in PEM")
	f.Var(&w.dsnReturn, "dsn-ret", "full or hdrs: how much of it comes back with a report")
	f.StringVar(&w.dsnEnvelopeID, "dsn-envid", "", "`ID` that comes back with a report")
	f.StringSliceVar(&w.dsnNotify, "dsn-notify", nil,
		"`EVENTS` to be told of: never, or any of success,failure,delay")
	f.BoolVar(&w.requireTLS, "requiretls", false, "each server on the way uses TLS, or refuses")
	f.BoolVar(&w.binary, "binary", false,
		"octet for octet, without touching line ends (BINARYMIME)")
	return g
}

func (w *wayFlags) paceFlags() flagGroup {
	g := newFlagGroup("Time, and many messages")
	f := g.flags
	f.DurationVar(&w.timeout, "timeout", client.DefaultTimeout, "longest `TIME` without progress")
	f.Var(&w.timeouts, "timeouts",
		"the same for single phases, as connect=5s,final=10m; rfc is what RFC 5321\n"+
			"recommends. Phases: "+
			strings.Join(phaseNames(), " "))
	f.DurationVar(&w.deadline, "deadline", 0,
		"longest `TIME` until the result of a message; 0 is any")
	f.IntVar(&w.retries, "retry", 0, "`N` times to try again what is refused for now")
	f.DurationVar(&w.retryAfter, "retry-after", time.Minute,
		"`TIME` until the first try again; then twice as long each time")
	f.IntVar(&w.rate, "rate", 0, "at most `N` messages per second; 0 is any")
	f.IntVar(&w.connections, "connections", 5, "at most `N` connections at the same time")
	return g
}

func (w *wayFlags) outputFlags() flagGroup {
	g := newFlagGroup("What is printed")
	f := g.flags
	f.BoolVar(&w.log, "log", false, "show the dialogue on standard error, without secrets")
	f.StringVar(&w.logFile, "log-file", "", "append the dialogue to a `FILE`")
	f.BoolVar(&w.json, "json", false, "print the result of each message as a line of JSON")
	f.BoolVarP(&w.quiet, "quiet", "q", false, "no progress, and no summary")
	f.StringVar(&w.account, "account", "", "`NAME` of an account to use, from the file of accounts")
	f.StringVar(&w.accounts, "accounts", "",
		"`FILE` of accounts (default: $"+accountsVariable+
			", else poe/accounts where\nconfigurations are)")
	return g
}

// spellings are other names of flags: those of other programs, and of earlier versions.
var spellings = map[string]string{
	"auth-user":          "user",
	"auth-password":      "password",
	"auth-password-file": "password-file",
	"ehlo":               "helo",
	"lhlo":               "helo",
}

func normalize(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	if usual, ok := spellings[name]; ok {
		name = usual
	}
	return pflag.NormalizedName(name)
}

// addGroups gives a command its flags, and has its help show them in their groups.
func addGroups(cmd *cobra.Command, groups []flagGroup) {
	cmd.Flags().SetNormalizeFunc(normalize)
	for _, g := range groups {
		cmd.Flags().AddFlagSet(g.flags)
	}
	cmd.SetUsageFunc(func(cmd *cobra.Command) error {
		out := cmd.OutOrStderr()
		fmt.Fprintf(out, "Usage:\n  %s\n\nExamples:\n%s\n", cmd.UseLine(), cmd.Example)
		for _, g := range groups {
			fmt.Fprintf(out, "\n%s:\n%s", g.title, g.flags.FlagUsages())
		}
		return nil
	})
	completeValues(cmd)
}

// completeValues tells a shell what flags with a few values may be.
func completeValues(cmd *cobra.Command) {
	for name, values := range map[string][]string{
		"protocol":      {"smtp", "lmtp"},
		"tls":           {"off", "opportunistic", "required", "implicit"},
		"dsn-ret":       {"full", "hdrs"},
		"dsn-notify":    {"never", "success", "failure", "delay", "success,failure,delay"},
		"proxy-version": {"1", "2"},
		"timeouts":      {"rfc"},
		"without": {"8BITMIME", "BINARYMIME", "CHUNKING", "DSN", "ENHANCEDSTATUSCODES",
			"PIPELINING", "SIZE", "SMTPUTF8", "STARTTLS"},
		"auth": {"CRAM-MD5", "EXTERNAL", "LOGIN", "OAUTHBEARER", "PLAIN", "SCRAM-SHA-1",
			"SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "XOAUTH2"},
		"server": nil, "from": nil, "to": nil, "user": nil,
	} {
		f := cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
		if cmd.Flags().Lookup(name) == nil {
			continue
		}
		if err := cmd.RegisterFlagCompletionFunc(name, f); err != nil {
			panic(err) // it is there, and nobody was before
		}
	}
}
