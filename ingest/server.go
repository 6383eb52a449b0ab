package ingest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Server takes events and answers questions over HTTP. Make one with New.
type Server struct {
	cfg         Config
	routes      []route
	stats       *stats
	memory      *memory
	queue       *queue
	slots       slots     // for the decoding of large bodies
	scribes     sync.Pool // of *scribe: those that nobody decodes with now
	storage     *storage
	keys        *keyTable
	unpackers   *unpackers
	log         *requestLog
	docs        *docs
	tokens      *kept[tokenTable]       // nil: nobody is asked for a token
	certificate *kept[*tls.Certificate] // nil: plain HTTP
	stopping    atomic.Bool

	mu  sync.Mutex              // one Start or Shutdown at a time
	run atomic.Pointer[running] // nil: does not listen
}

// running is what stands between Start and Shutdown.
type running struct {
	http     *http.Server
	listener *limitListener
	addr     string
	served   chan struct{}      // closed when the serving goroutine has ended
	ctx      context.Context    // of everything that requests do; ends when Shutdown loses its patience
	cancel   context.CancelFunc // of ctx
}

// New checks the configuration and reads the files that it names. The server does not listen yet.
func New(cfg Config) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	s := &Server{
		cfg: cfg, routes: routes(), stats: newStats(cfg.Now), log: &requestLog{out: cfg.RequestLog, now: cfg.Now},
		memory: &memory{limit: cfg.MaxMemory}, queue: newQueue(int64(cfg.MaxQueued), cfg.MaxMemory/queueShare), slots: newSlots(), unpackers: newUnpackers(cfg.MaxBodyBytes),
	}
	s.keys = newKeyTable(&s.cfg, s.log.tell)
	var err error
	if s.storage, err = newStorage(cfg, s.ctx, s.log.tell); err != nil {
		return nil, err
	}
	if s.docs, err = newDocs(); err != nil {
		return nil, err
	}
	if cfg.TokenFile != "" {
		if s.tokens, err = openTokens(cfg, s.log.tell); err != nil {
			return nil, err
		}
	}
	if cfg.CertFile != "" {
		if s.certificate, err = openCertificate(cfg, s.log.tell); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Try tells, without serving anything, whether New and Start would go well now: for whoever must not make anything before that is known. cfg.Log is not needed.
func Try(cfg Config) error {
	cfg.Log = neverLog{}
	s, err := New(cfg)
	if err != nil {
		return err
	}
	ln, err := s.listen()
	if err != nil {
		return err
	}
	return ln.Close()
}

// neverLog is the log of a server that never takes a request.
type neverLog struct{ Log }

// Handler answers requests without a socket of its own.
func (s *Server) Handler() http.Handler { return s }

// Snapshot is the counters now. It is shared: treat it as read-only.
func (s *Server) Snapshot() Snapshot {
	snap := s.stats.snapshot()
	snap.Queue, snap.Memory, snap.Refused, snap.Trouble = s.queue.state(), s.memory.state(), s.stats.refusals(), s.trouble()
	snap.Token, snap.Warnings, snap.Keys = s.tokens != nil, s.Warnings(), s.keys.status()
	if leaf := s.leaf(); leaf != nil {
		snap.TLS = true
		if selfSigned(leaf) {
			snap.CACert = s.cfg.CertFile
		}
	}
	return snap
}

// Addr is where the server listens, with the real port; "" when it does not.
func (s *Server) Addr() string { return s.stats.snapshot().Addr }

// Start listens and serves in a goroutine of its own until Shutdown. Errors: *AddrInUseError, *RemoteAddrError, ErrRunning, or the
// system's words with the address. Snapshot().Err keeps the error's text.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run.Load() != nil {
		return ErrRunning
	}
	ln, err := s.listen()
	if err != nil {
		s.stats.listening("", err.Error())
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	run := &running{
		listener: newLimitListener(ln, s.cfg.MaxConns, func() { s.turnedAway() }),
		addr:     ln.Addr().String(), served: make(chan struct{}), ctx: ctx, cancel: cancel,
	}
	if s.certificate != nil {
		run.listener.tls = s.tlsConfig()
	}
	run.http = &http.Server{
		Handler: s, ErrorLog: log.New(s.log, "", 0), BaseContext: func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: s.cfg.ReadHeaderTimeout, ReadTimeout: s.cfg.ReadTimeout, IdleTimeout: s.cfg.IdleTimeout,
		MaxHeaderBytes: s.cfg.MaxHeaderBytes, DisableGeneralOptionsHandler: true, ConnState: run.listener.heard,
	}
	s.run.Store(run)
	s.stopping.Store(false)
	s.stats.listening(run.addr, "")
	for _, warning := range s.Warnings() {
		s.log.tell(warning)
	}
	s.keys.recall(ctx)
	go s.serve(run)
	return nil
}

// ctx is what an append runs under. It does not end with the client's connection: once the whole body is here, the events are taken. A
// client that closed its half of the connection still reads, and net/http cannot tell it from one that went away.
func (s *Server) ctx() context.Context {
	if run := s.run.Load(); run != nil {
		return run.ctx
	}
	return context.Background()
}

func (s *Server) serve(run *running) {
	defer close(run.served)
	var ln net.Listener = run.listener
	if run.listener.tls != nil {
		ln = tls.NewListener(ln, run.listener.tls)
	}
	err := run.http.Serve(ln)
	run.listener.wait()
	if !errors.Is(err, http.ErrServerClosed) {
		s.stats.listening("", fmt.Sprintf("stopped listening on %s: %v", run.addr, err))
	}
}

// listen opens the socket and makes sure that it is as local as it must be, whatever a name resolved to.
func (s *Server) listen() (net.Listener, error) {
	ln, err := net.Listen("tcp", s.cfg.Addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		host, text, _ := net.SplitHostPort(s.cfg.Addr)
		port, _ := strconv.Atoi(text)
		return nil, &AddrInUseError{Addr: s.cfg.Addr, Holder: portHolder(port), Other: net.JoinHostPort(host, strconv.Itoa(otherPort(port))), Err: err}
	case err != nil:
		return nil, fmt.Errorf("listen on %s: %w", s.cfg.Addr, err)
	}
	if !s.cfg.remoteAllowed() && isRemote(ln.Addr()) {
		return nil, errors.Join(&RemoteAddrError{Addr: ln.Addr().String()}, ln.Close())
	}
	return ln, nil
}

// isRemote says whether other machines may reach an address.
func isRemote(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return !ok || !tcp.IP.IsLoopback()
}

// Warnings are what an operator should know about how the server is open to the world, one sentence each. Before Start it says less.
func (s *Server) Warnings() []string {
	var all []string
	if run := s.run.Load(); run != nil {
		if warning := openness(run.listener.Addr(), s.tokens != nil, s.certificate != nil); warning != "" {
			all = append(all, warning)
		}
	}
	if leaf := s.leaf(); leaf != nil {
		if warning := expiry(leaf, s.cfg.Now()); warning != "" {
			all = append(all, warning)
		}
	}
	return all
}

// openness warns of an address that others reach without a token, or with one that they must send in the open; "" otherwise.
func openness(addr net.Addr, tokens, tls bool) string {
	switch {
	case !isRemote(addr) || tokens && tls:
		return ""
	case !tokens:
		return "whoever reaches " + addr.String() + " may read the lake and write to it: nobody is asked for a token"
	}
	return "tokens and events cross the network to " + addr.String() + " as plain text: give --tls-cert and --tls-key, or let only a proxy that ends TLS reach this address"
}

func otherPort(port int) int {
	if port >= 65535 {
		return 8000
	}
	return port + 1
}

// Shutdown stops listening, lets requests that have begun end, and returns when no handler runs. When ctx ends first it cancels their
// contexts, cuts their connections and returns ctx's error.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	run := s.run.Load()
	if run == nil {
		return nil
	}
	s.stopping.Store(true)
	run.listener.closeSilent()
	err := run.http.Shutdown(ctx)
	run.cancel()
	if err != nil {
		err = fmt.Errorf("ingest shutdown: requests were still running and are cut off: %w", errors.Join(err, run.http.Close()))
	}
	<-run.served
	s.awaitHandlers()
	s.keys.settle(cancelGrace)
	s.storage.probes.Wait() // run's context has ended
	s.run.Store(nil)
	s.stats.listening("", "")
	return err
}

// After its context was cancelled a handler has this long to return: the lake is closed next.
const cancelGrace = 2 * time.Second

func (s *Server) awaitHandlers() {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(cancelGrace); s.stats.inFlight.Load() > 0 && time.Now().Before(end); {
		<-tick.C
	}
}

// turnedAway counts a connection above the limit and leaves a line in the log.
func (s *Server) turnedAway() {
	s.stats.refuse(refusedConnections)
	_, _ = fmt.Fprintf(s.log, "a connection above the limit of %d was turned away", s.cfg.MaxConns)
}
