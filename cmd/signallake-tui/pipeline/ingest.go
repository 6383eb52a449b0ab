package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/signallake/signallake/ingest/load"
	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/gen"
)

const (
	requestEvents = 1000
	ingestClients = 2
	// mostSent bounds how many events a round sends: half a minute's, at the end of which every part of the server has been full for long.
	mostSent = 2_000_000
	// serverConvertBytes is the server's own default, told to it so that it is known when nothing more is due.
	serverConvertBytes = 64 << 20
	// noConversion is more than a round sends.
	noConversion = 1500 << 20
	// liveFor is how old the oldest event is that is sent.
	liveFor = 10 * time.Minute
	// lookEvery is how often somebody asks a question while events come in.
	lookEvery = time.Second
	// scanPasses is how often the lines are scanned for one sample.
	scanPasses = 3
	// settleEvery is how often the server is asked whether it has converted what was due.
	settleEvery = 50 * time.Millisecond
)

// What another store is said to do, on such a machine: acknowledged events of 379 bytes a second, 2 clients, no fsync, and seconds of processor time a
// million of them. The figures are the project's, taken elsewhere and earlier.
const (
	rivalRate = 274_000
	rivalCPU  = 6.8
)

// measureIngest sends the events to a server in a process of its own, and has the same bytes appended without one, in turns. It also counts what the
// server took until all was visible and converted, while somebody asks a question each second.
func measureIngest(ctx context.Context, c *corpus, o *outcome) error {
	m, err := newSending(ctx, c)
	if err != nil {
		return err
	}
	samples, err := c.turns(ctx, nil, way{"acknowledge", m.acknowledge}, way{"append", m.append}, way{"server", m.server}, way{"scan", m.scan})
	if err != nil {
		return err
	}
	f := o.add("ingest", samples[0], samples[1]).equal(m.complete)
	f.note("%d events a round, %d bytes an event as sent, all of the last ten minutes; no conversion is due meanwhile (rival-rate has them beside); %d requests were told to come again", m.sent(), m.bytesEach, m.refusals)
	f.note("%v", &m.quiet)
	f.note("server and clients share the processors; the reference's two writers share a file")
	o.add("ingest-cpu", m.cpu, samples[3]).equal(m.complete).note("from the first byte until every event was visible and in Parquet; each second somebody asked for the events of one service by hour; what was left below %d MiB was converted by `convert`, whose time counts: %.0f ns/event of it", serverConvertBytes>>20, median(sorted(m.rest)))
	rate := o.add("rival-rate", samples[2], []float64{rivalRate}).note("the reference is a figure for another store, taken on such a machine at another time: not measured in this run")
	rate.note("its events had 379 bytes, ours %d; ours were fsynced", m.bytesEach)
	rate.note("%v, with conversions and questions beside", &m.busy)
	cpu := o.of("rival-cpu").note("the reference is a figure for another store, taken on such a machine at another time: not measured in this run")
	for _, ns := range m.cpu {
		cpu.ours = append(cpu.ours, ns*million/1e9)
	}
	cpu.reference = []float64{rivalCPU}
	o.add("rss-serve", m.peaks, nil).note("the server's peak over %d events, clients beside it", m.sent())
	return nil
}

// sending is that stage at work.
type sending struct {
	*corpus
	lines     []byte         // canonical, as the scan reads them
	lineCount int            // of lines
	bodies    [][]byte       // as senders send them: without what the lake adds
	requests  []load.Request // of them
	perBody   int            // events
	count     int            // requests a round
	bytesEach int
	service   string // the one that is asked about

	complete   bool // every event of every round was visible and converted, once
	refusals   int
	quiet      waits // without conversions
	busy       waits // with them
	cpu, peaks []float64
	rest       []float64 // of cpu, what the conversion of the remainder took
}

// waits are how long requests waited for their acknowledgement: percentiles of each round, in milliseconds.
type waits struct{ p50, p99 []float64 }

func (w *waits) add(r *load.Result) {
	w.p50, w.p99 = append(w.p50, milliseconds(r.Wait(0.5))), append(w.p99, milliseconds(r.Wait(0.99)))
}

func (w *waits) String() string {
	return fmt.Sprintf("wait for the acknowledgement of a request: p50 %.1f ms, p99 %.1f ms (medians of the rounds)", median(sorted(w.p50)), median(sorted(w.p99)))
}

// newSending makes the requests: of events of the last minutes, as live traffic is.
func newSending(ctx context.Context, c *corpus) (*sending, error) {
	n := min(c.events, mostLines) / requestEvents * requestEvents
	if n == 0 {
		n = c.events // a test's
	}
	m := &sending{corpus: c, lineCount: int(n), perBody: int(min(n, requestEvents)), complete: true}
	cfg := gen.Config{Seed: corpusSeed, Count: n, Days: 1, Services: corpusServices, End: lake.MicrosOf(c.cfg.Now())}
	if err := generate(ctx, cfg, func(b lake.Batch) error { m.lines = append(m.lines, b.Lines...); return nil }); err != nil {
		return nil, err
	}
	if err := m.restamp(n); err != nil {
		return nil, err
	}
	var size int
	for _, batch := range load.Split(m.lines, requestEvents) {
		body, err := load.Sent(nil, batch, false)
		if err != nil {
			return nil, err
		}
		size += len(body)
		m.bodies, m.requests = append(m.bodies, body), append(m.requests, load.NewRequest(body, ""))
	}
	m.bytesEach = size / int(n)
	m.count = max(1, int(min(c.events, mostSent))/m.perBody)
	var first lake.Event
	if err := new(lake.Scanner).Scan(m.lines[:bytes.IndexByte(m.lines, '\n')], &first); err != nil {
		return nil, err
	}
	m.service = strings.Clone(first.ServiceName)
	return m, nil
}

// restamp moves the events, which the generator spreads over a day, into the last minutes, in their order.
func (m *sending) restamp(n int64) error {
	var scanner lake.Scanner
	lines := make([]byte, 0, len(m.lines))
	start, at := lake.MicrosOf(m.cfg.Now().Add(-liveFor)), int64(0)
	err := readAll(m.lines, func(line []byte, e *lake.Event) error {
		err := scanner.Scan(line, e)
		e.Timestamp = start + lake.Micros(at*liveFor.Microseconds()/n)
		lines, at = e.AppendLine(lines), at+1
		return err
	})
	m.lines = lines
	return err
}

// acknowledge is one round of ours without conversions: events a second until the last acknowledgement.
func (m *sending) acknowledge(ctx context.Context, round int) (_ float64, err error) {
	dir, remove, err := m.scratch("acknowledge")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	s, err := m.serve(ctx, dir, "--convert-bytes", fmt.Sprint(noConversion), "--convert-age", "1h")
	if err != nil {
		return 0, err
	}
	defer s.kill()
	result, err := load.Run(ctx, load.Config{Addr: s.addr, Requests: m.requests, Clients: ingestClients, Count: m.warm(round)})
	if err != nil {
		return 0, errors.Join(err, ctx.Err())
	}
	want := int64(m.warm(round)) * int64(m.perBody)
	visible, err := countEvents(ctx, s.addr, "")
	if err != nil {
		return 0, err
	}
	m.complete = m.complete && visible == want && result.Events == want
	if round >= 0 {
		m.quiet.add(result)
	}
	return result.PerSec(), s.terminate(ctx)
}

// sent is how many events a round sends.
func (m *sending) sent() int64 { return int64(m.count) * int64(m.perBody) }

// warm is fewer requests for the round that only warms up.
func (m *sending) warm(round int) int {
	if round < 0 {
		return max(1, m.count/10)
	}
	return m.count
}

// server is one round of ours with conversions and questions: events a second until the last acknowledgement.
func (m *sending) server(ctx context.Context, round int) (_ float64, err error) {
	dir, remove, err := m.scratch("serve")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	s, err := m.serve(ctx, dir, "--convert-bytes", fmt.Sprint(serverConvertBytes))
	if err != nil {
		return 0, err
	}
	defer s.kill()
	before, err := processorTime(s.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	stop := s.lookedAt(ctx, m.service)
	result, err := load.Run(ctx, load.Config{Addr: s.addr, Requests: m.requests, Clients: ingestClients, Count: m.warm(round)})
	if err = errors.Join(err, stop()); err != nil {
		return 0, errors.Join(err, ctx.Err())
	}
	want := int64(m.warm(round)) * int64(m.perBody)
	visible, err := countEvents(ctx, s.addr, "")
	if err == nil {
		err = s.settle(ctx, int64(len(m.lines)/m.lineCount))
	}
	if err != nil {
		return 0, err
	}
	after, err := processorTime(s.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	peak, err := peakMemory(s.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	if err := s.terminate(ctx); err != nil {
		return 0, err
	}
	rest, err := m.measure(ctx, commandStage, "convert", "--data", dir)
	if err != nil {
		return 0, err
	}
	if err := m.account(ctx, dir, want, visible == want && result.Events == want); err != nil || round < 0 {
		return 0, err
	}
	m.cpu, m.rest = append(m.cpu, float64(after-before+rest.CPU)/float64(want)), append(m.rest, float64(rest.CPU)/float64(want))
	m.peaks, m.refusals = append(m.peaks, megabytes(peak)), m.refusals+result.Refusals
	m.busy.add(result)
	return result.PerSec(), nil
}

// account opens the lake when nobody has it any more, and counts.
func (m *sending) account(ctx context.Context, dir string, want int64, well bool) error {
	l, err := lake.Open(ctx, lake.Config{Dir: dir, ReadOnly: true, Now: m.cfg.Now})
	if err != nil {
		return err
	}
	status := l.Status()
	m.complete = m.complete && well && status.ParquetEvents == want && status.HotEvents == 0
	return l.Close()
}

// lookedAt has somebody ask about a service now and then, until stop is called, which says what went wrong.
func (s *server) lookedAt(ctx context.Context, service string) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	var looking sync.WaitGroup
	var failed error
	looking.Go(func() {
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if _, err := countEvents(ctx, s.addr, service); err != nil && ctx.Err() == nil {
				failed = fmt.Errorf("ask while events come in: %w", err)
				return
			}
		}
	})
	return func() error { cancel(); looking.Wait(); return failed }
}

// settle waits until the server has converted all that is due.
func (s *server) settle(ctx context.Context, bytesEach int64) error {
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	for {
		var health struct {
			Hot int64 `json:"events_hot"`
		}
		if err := get(ctx, s.addr, "/health", &health); err != nil {
			return err
		}
		if health.Hot*bytesEach < serverConvertBytes {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.gone:
			return fmt.Errorf("the server ended: %s", s.lastWords())
		case <-tick.C:
		}
	}
}

// append is the reference: the same bodies, written and synced by as many writers as there are clients.
func (m *sending) append(ctx context.Context, round int) (_ float64, err error) {
	dir, remove, err := m.scratch("append")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	result, err := load.Append(ctx, filepath.Clean(dir), m.bodies, m.perBody, m.warm(round), ingestClients, true)
	if err != nil {
		return 0, err
	}
	return result.PerSec(), nil
}

// scan is the processor's time that scanning the canonical lines takes, in nanoseconds an event.
func (m *sending) scan(ctx context.Context, _ int) (float64, error) {
	took, err := threadTimeOf(func() error {
		var scanner lake.Scanner
		for range scanPasses {
			if err := errors.Join(ctx.Err(), readAll(m.lines, scanner.Scan)); err != nil {
				return err
			}
		}
		return nil
	})
	return float64(took) / float64(scanPasses*m.lineCount), err
}
