package ingest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/retry"
)

// DefaultAddr is where the server listens unless told otherwise: this machine only.
const DefaultAddr = "127.0.0.1:8000"

const (
	// 16 MiB hold about 50,000 events: more than any shipper sends at once, and few enough bytes that a request is decoded within a second.
	defaultMaxBodyBytes = 16 << 20
	// Browsers and proxies send about 2 KiB of headers.
	defaultMaxHeaderBytes = 32 << 10
	// Half of the usual limit of 1,024 open files, so that the lake's own files always find room.
	defaultMaxConns = 512

	defaultReadHeaderTimeout = 5 * time.Second
	defaultReadTimeout       = 30 * time.Second // 16 MiB at 5 Mbit/s
	defaultWriteTimeout      = 30 * time.Second
	defaultIdleTimeout       = 2 * time.Minute // above the minute at which most shippers flush
	defaultQueryTimeout      = 30 * time.Second
)

// Config says how to serve. Only Log is required.
type Config struct {
	Addr         string   // host:port; "": DefaultAddr; port 0: a free one, see Server.Addr
	TokenFile    string   // lines `name token`; every route that tells or takes anything then asks for one of them; "": nobody is asked
	CertFile     string   // TLS certificate and its chain in PEM; "" here and in KeyFile: plain HTTP
	KeyFile      string   // the certificate's private key in PEM
	AllowRemote  bool     // lets Addr be reachable from other machines without a TokenFile; false: such an Addr is refused
	AllowedHosts []string // further names that a request's Host header may carry, without port; for a reverse proxy or a name of this machine

	Log        Log                   // where events go
	Contract   lake.Contract         // what an event must look like
	Guard      *lake.PartitionGuard  // bounds new partitions; nil: every partition is welcome
	Ask        Asker                 // answers GET /query/NAME; nil: 503
	Dead       Desk                  // answers what is below /dead; nil: 503
	Health     func() map[string]any // adds values to GET /health; a "status" other than "ok" makes it a 503, "why" tells the reason; nil: adds nothing
	Now        func() time.Time      // nil: time.Now
	RequestLog io.Writer             // gets one line of JSON for each request, in one Write each; nil: no log

	MaxBodyBytes      int64         // of one request; 0: 16 MiB
	MaxHeaderBytes    int           // of one request; 0: 32 KiB
	MaxMemory         int64         // bytes that all requests together may hold of bodies and events; 0: 96 MiB
	MaxQueued         int           // events that may wait for the disk; 0: 262,144
	MaxConns          int           // open connections; further ones are told 503; 0: 512
	ReadHeaderTimeout time.Duration // from a request's first byte to the end of its headers; 0: 5 s
	ReadTimeout       time.Duration // from the end of a request's headers to the end of its body; 0: 30 s
	WriteTimeout      time.Duration // for the answer to leave, counted from when it is ready; 0: 30 s
	IdleTimeout       time.Duration // how long a connection waits for its next request; 0: 2 min
	QueryTimeout      time.Duration // for one GET /query/NAME; 0: 30 s

	Retry      retry.Policy  // of what the storage refuses, without Retryable; without Tries and Elapsed: for 2 s; without Budget: one retry for ten appends, and two a second
	ProbeEvery time.Duration // how soon a failing storage is tried again in the background, later up to five times as long; 0: 1 s

	KeyLimit  int           // Idempotency-Keys that are remembered; 0: 262,144
	KeyWindow time.Duration // how long each is, at least, unless there are too many; 0: 24 h
	KeyWait   time.Duration // how long a request waits for an earlier one with the same key; 0: 30 s
}

func (c Config) withDefaults() Config {
	if c.Addr == "" {
		c.Addr = DefaultAddr
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.MaxBodyBytes == 0 {
		c.MaxBodyBytes = defaultMaxBodyBytes
	}
	if c.MaxHeaderBytes == 0 {
		c.MaxHeaderBytes = defaultMaxHeaderBytes
	}
	if c.MaxConns == 0 {
		c.MaxConns = defaultMaxConns
	}
	if c.MaxMemory == 0 {
		c.MaxMemory = defaultMaxMemory
	}
	if c.MaxQueued == 0 {
		c.MaxQueued = defaultMaxQueued
	}
	orDefault(&c.ReadHeaderTimeout, defaultReadHeaderTimeout)
	orDefault(&c.ReadTimeout, defaultReadTimeout)
	orDefault(&c.WriteTimeout, defaultWriteTimeout)
	orDefault(&c.IdleTimeout, defaultIdleTimeout)
	orDefault(&c.QueryTimeout, defaultQueryTimeout)
	orDefault(&c.ProbeEvery, defaultProbeEvery)
	if c.KeyLimit == 0 {
		c.KeyLimit = defaultKeyLimit
	}
	orDefault(&c.KeyWindow, defaultKeyWindow)
	orDefault(&c.KeyWait, defaultKeyWait)
	return c
}

func orDefault(d *time.Duration, value time.Duration) {
	if *d == 0 {
		*d = value
	}
}

// Validate names the first value that cannot work, and the way out.
func (c Config) Validate() error {
	if c.Log == nil {
		return errors.New("ingest config: Log is required")
	}
	if c.MaxBodyBytes < 0 || c.MaxHeaderBytes < 0 || c.MaxConns < 0 || c.KeyLimit < 0 {
		return errors.New("ingest config: MaxBodyBytes, MaxHeaderBytes, MaxConns and KeyLimit must not be negative")
	}
	if min(c.ReadHeaderTimeout, c.ReadTimeout, c.WriteTimeout, c.IdleTimeout, c.QueryTimeout, c.ProbeEvery, c.KeyWindow, c.KeyWait) < 0 {
		return errors.New("ingest config: timeouts must not be negative")
	}
	if c.MaxMemory != 0 && c.MaxMemory < MinMemory {
		return fmt.Errorf("%d bytes of memory for requests are too few: want at least %d MiB, or 0 for the default of %d MiB", c.MaxMemory, MinMemory>>20, defaultMaxMemory>>20)
	}
	if c.MaxQueued < 0 {
		return fmt.Errorf("a queue of %d events: want at least 1, or 0 for the default of %d", c.MaxQueued, defaultMaxQueued)
	}
	if err := c.Retry.Validate(); err != nil {
		return fmt.Errorf("ingest config: %w", err)
	}
	addr := c.Addr
	if addr == "" {
		addr = DefaultAddr
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("listen address %q: want host:port, for example %s", addr, DefaultAddr)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("listen address %q: the port must be a number up to 65535", addr)
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		return errors.New("TLS needs both a certificate and its key: give --tls-cert FILE and --tls-key FILE")
	}
	for _, name := range c.AllowedHosts {
		if hostOf(name) != name || name == "" {
			return fmt.Errorf("allowed host %q: want a name without scheme and port, for example lake.example.com", name)
		}
	}
	if !c.remoteAllowed() && !isLoopbackHost(host) {
		return &RemoteAddrError{Addr: addr}
	}
	return nil
}

// remoteAllowed says whether other machines may reach the server.
func (c Config) remoteAllowed() bool { return c.AllowRemote || c.TokenFile != "" }

// RemoteAddrError is a listen address that other machines could reach, without Config.TokenFile and Config.AllowRemote.
type RemoteAddrError struct{ Addr string }

func (e *RemoteAddrError) Error() string {
	return fmt.Sprintf("listen address %s can be reached from other machines, and nobody there would be asked who they are: give every source a token by --token-file FILE, "+
		"listen on %s, or say --allow-remote-without-token where the network or a proxy in front checks the callers", e.Addr, DefaultAddr)
}

// isLoopbackHost tells whether a host name or IP literal can only mean this machine.
func isLoopbackHost(host string) bool {
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Zone() == "" && ip.Unmap().IsLoopback()
}
