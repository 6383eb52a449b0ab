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
	MaxConns          int           // open connections; further ones are told 503; 0: 512
	ReadHeaderTimeout time.Duration // from a request's first byte to the end of its headers; 0: 5 s
	ReadTimeout       time.Duration // from a request's first byte to the end of its body; 0: 30 s
	WriteTimeout      time.Duration // for the answer to leave, counted from when it is ready; 0: 30 s
	IdleTimeout       time.Duration // how long a connection waits for its next request; 0: 2 min
	QueryTimeout      time.Duration // for one GET /query/NAME; 0: 30 s
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
	orDefault(&c.ReadHeaderTimeout, defaultReadHeaderTimeout)
	orDefault(&c.ReadTimeout, defaultReadTimeout)
	orDefault(&c.WriteTimeout, defaultWriteTimeout)
	orDefault(&c.IdleTimeout, defaultIdleTimeout)
	orDefault(&c.QueryTimeout, defaultQueryTimeout)
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
	if c.MaxBodyBytes < 0 || c.MaxHeaderBytes < 0 || c.MaxConns < 0 {
		return errors.New("ingest config: MaxBodyBytes, MaxHeaderBytes and MaxConns must not be negative")
	}
	if min(c.ReadHeaderTimeout, c.ReadTimeout, c.WriteTimeout, c.IdleTimeout, c.QueryTimeout) < 0 {
		return errors.New("ingest config: timeouts must not be negative")
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
