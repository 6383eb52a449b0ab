package main

import (
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/signallake/signallake/ingest"
)

// apiFlags say how the ingest API is reached, and by whom.
type apiFlags struct {
	addr, tokenFile, cert, key string
	remote                     bool
	hosts                      hostList
	queueEvents                int
	memory                     byteSize
}

// hostList is a flag that may be given more than once.
type hostList []string

func (h *hostList) String() string { return strings.Join(*h, ", ") }

func (h *hostList) Set(name string) error {
	*h = append(*h, name)
	return nil
}

func addAPIFlags(flags *flag.FlagSet) *apiFlags {
	a := &apiFlags{}
	flags.StringVar(&a.addr, "addr", defaultAddr, "the ingest API's `address`; beyond this machine only with --token-file")
	flags.StringVar(&a.tokenFile, "token-file", "", "`file` of lines \"name token\": senders need one of them; read again when it changes")
	flags.StringVar(&a.cert, "tls-cert", "", "TLS certificate `file` (PEM): the API speaks https; read again when it changes")
	flags.StringVar(&a.key, "tls-key", "", "the certificate's private key `file` (PEM)")
	flags.BoolVar(&a.remote, "allow-remote-without-token", false, "let other machines reach the API and ask nobody for a token")
	flags.Var(&a.hosts, "allowed-host", "a further `name` by which clients call this server; may be given more than once")
	flags.IntVar(&a.queueEvents, "queue-events", 0, "how `many` events may wait for the disk before senders are told to come again (262144 when not given)")
	flags.Var(&a.memory, "ingest-memory", "what requests may hold in memory together, at least 8MiB; a `size` (96MiB when not given)")
	return a
}

// validate names the first value that cannot work.
func (a *apiFlags) validate() error {
	if a.queueEvents < 0 {
		return usagef("--queue-events %d: want how many events may wait, 1 or more", a.queueEvents)
	}
	if a.memory != 0 && a.memory < ingest.MinMemory {
		return usagef("--ingest-memory %v: want at least 8MiB", &a.memory)
	}
	return nil
}

// apply says the same to the server.
func (a *apiFlags) apply(c *ingest.Config) {
	c.MaxQueued, c.MaxMemory = a.queueEvents, int64(a.memory)
	c.Addr, c.TokenFile, c.CertFile, c.KeyFile, c.AllowRemote, c.AllowedHosts = a.addr, a.tokenFile, a.cert, a.key, a.remote, a.hosts
}

// makeToken makes the token file where there is none yet, and shows the token at once: whatever fails later, it has been seen. "": there was a file.
func (a *apiFlags) makeToken(w io.Writer) (string, error) {
	if a.tokenFile == "" {
		return "", usagef("--make-token needs --token-file FILE: where the token is to be kept")
	}
	token, err := ingest.MakeTokenFile(a.tokenFile, "default")
	if token != "" {
		fmt.Fprintf(w, "signallake-tui: made a token; it is shown this once and kept in %s:\n\n  %s\n\n", a.tokenFile, token)
	}
	return token, err
}

// showCurl is a line to try the new token with.
func showCurl(w io.Writer, snap ingest.Snapshot, token string) {
	fmt.Fprintf(w, "\n  curl -s%s %s/health\n\n", strings.Replace(snap.CurlOptions(), "$TOKEN", token, 1), snap.URL())
}
