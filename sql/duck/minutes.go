package duck

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/rollup"
)

const (
	// cellsEvery is how often the open minute is refreshed.
	cellsEvery = 500 * time.Millisecond
	// cellsShare: a flush that takes long is followed by a pause this many times as long, so that cells never take more than a quarter of a core.
	cellsShare = 3
)

// minuteFeed keeps the cell tables of both instances, each from the moment when somebody asks them: a process that only runs a statement over events
// never loads them. It belongs to the feed's goroutine; writing is done on goroutines of the stores, so that hot rows never wait for cells.
type minuteFeed struct {
	engine *Engine
	stores []*cellStore // begun ones
	panels *cellStore
	prompt *cellStore
}

// cellStore is the cell tables of one instance. They count each event once: what lies below the watermark of the version that load pins, by its
// rollup files; what lies between that and from, by reading the log once more; everything above as the feed hands it on.
type cellStore struct {
	conn    *conn
	wanted  atomic.Bool // somebody asks
	begun   bool
	from    lake.Seq      // events below it are load's
	delta   *rollup.Cells // not yet handed to a job
	dirty   time.Time     // when the first event of delta came; zero: delta is empty
	cells   [len(tiers)]*openCells
	working chan struct{} // closed when the job at hand has ended; a job owns conn, cells and the fields below
	base    *rollup.Cells // load's part of the log
	pause   time.Time     // no flush before
	loose   int64         // rows that were added since the tables were compressed

	ready   chan struct{} // closed when load has been counted in
	isReady bool
	logRead atomic.Int64 // events of the log that load has counted so far
	horizon atomic.Int64 // minutes by endpoint begin here, microseconds; see endpointMinutes
	counted atomic.Int64 // one past the newest event counted
	asOf    atomic.Int64 // received_at of the newest event counted
	failed  atomic.Pointer[error]
}

func newMinuteFeed(e *Engine) *minuteFeed {
	return &minuteFeed{engine: e, panels: newCellStore(e.panels.conns[0]), prompt: newCellStore(e.prompt.conns[0])}
}

func newCellStore(c *conn) *cellStore {
	return &cellStore{conn: c, delta: rollup.New(), ready: make(chan struct{})}
}

// begin starts the stores that are wanted and not yet begun, at pos.
func (m *minuteFeed) begin(ctx context.Context, pos lake.Seq) {
	for _, s := range []*cellStore{m.panels, m.prompt} {
		if s.wanted.Load() && !s.begun {
			s.begun = true
			m.stores = append(m.stores, s)
			s.load(ctx, m.engine.lake, m.engine.lake.Pin(), pos)
		}
	}
}

// asked says whether begin has something to do.
func (m *minuteFeed) asked() bool {
	return m.panels.wanted.Load() && !m.panels.begun || m.prompt.wanted.Load() && !m.prompt.begun
}

// restart counts everything anew up to pos: the log took something back.
func (m *minuteFeed) restart(ctx context.Context, pos lake.Seq) {
	m.stop()
	for _, s := range m.stores {
		s.isReady = false
		s.load(ctx, m.engine.lake, m.engine.lake.Pin(), pos)
	}
}

// stop waits for the jobs.
func (m *minuteFeed) stop() {
	for _, s := range m.stores {
		<-s.working
	}
}

// uncounted is how many committed events are in no minute cell yet: in no rollup file and not in the panels' tables.
func (m *minuteFeed) uncounted(committed lake.Seq) int64 {
	l := m.engine.lake
	n, _ := l.RawBetween(max(lake.Seq(m.panels.counted.Load()), l.Current().Watermark), committed)
	return n
}

// loading says whether the panels wait for their tables.
func (m *minuteFeed) loading() bool { return !m.panels.announced() && m.panels.wanted.Load() }

func (m *minuteFeed) add(e *lake.Event, seq lake.Seq) {
	for _, s := range m.stores {
		if seq >= s.from {
			addEvent(s.delta, e)
		}
	}
}

// added tells that a batch has been added.
func (m *minuteFeed) added(pos lake.Seq) {
	for _, s := range m.stores {
		if s.dirty.IsZero() && pos > s.from {
			s.dirty = time.Now()
		}
	}
}

// dueAt is when flushDue wants to be called; zero: no matter when.
func (m *minuteFeed) dueAt() time.Time {
	var due time.Time
	for _, s := range m.stores {
		if at := s.dueAt(); !at.IsZero() && (due.IsZero() || at.Before(due)) {
			due = at
		}
	}
	return due
}

func (s *cellStore) dueAt() time.Time {
	switch {
	case s.isWorking():
		return time.Now().Add(cellsEvery / 10)
	case !s.isReady:
		return time.Now()
	case s.dirty.IsZero():
		return time.Time{}
	}
	if at := s.dirty.Add(cellsEvery); at.After(s.pause) {
		return at
	}
	return s.pause
}

// flushDue starts to write the cells that changed. pos and received are of the newest event handed on.
func (m *minuteFeed) flushDue(ctx context.Context, pos lake.Seq, received lake.Micros) {
	m.begin(ctx, pos)
	for _, s := range m.stores {
		switch at := s.dueAt(); {
		case s.isWorking() || s.failed.Load() != nil:
		case s.isReady && s.dirty.IsZero():
			s.tell(pos, received)
		case !time.Now().Before(at):
			s.flush(pos, received)
		}
	}
}

func (s *cellStore) tell(pos lake.Seq, received lake.Micros) {
	s.counted.Store(int64(pos))
	s.asOf.Store(int64(received))
}

func (s *cellStore) isWorking() bool {
	select {
	case <-s.working:
		return false
	default:
		return true
	}
}

// start runs a job on a goroutine of its own. Its error ends the store: panels tell it, hot rows go on.
func (s *cellStore) start(job func() error) {
	working := make(chan struct{})
	s.working = working
	go func() {
		defer close(working)
		if err := job(); err != nil {
			s.failed.Store(&err)
		}
	}()
}

// flush merges what came in, in one transaction: a reader sees all tables at the same moment.
func (s *cellStore) flush(pos lake.Seq, received lake.Micros) {
	delta, first := s.delta, !s.isReady
	s.delta, s.dirty, s.isReady = rollup.New(), time.Time{}, true
	s.start(func() error {
		now := time.Now()
		if s.base != nil {
			delta.Merge(s.base)
			s.base = nil
		}
		if err := s.transact(delta, now); err != nil {
			return fmt.Errorf("refresh the minute tables: %w", err)
		}
		s.pause = time.Now().Add(cellsShare * time.Since(now))
		s.tell(pos, received)
		if first {
			s.announce()
		}
		return nil
	})
}

// announce says that the tables are complete; a reload after a rewind finds it said.
func (s *cellStore) announce() {
	if !s.announced() {
		close(s.ready)
	}
}

func (s *cellStore) announced() bool {
	select {
	case <-s.ready:
		return true
	default:
		return false
	}
}

func (s *cellStore) transact(delta *rollup.Cells, now time.Time) error {
	if err := s.conn.exec("BEGIN"); err != nil {
		return err
	}
	for _, cells := range s.cells {
		n, err := cells.merge(s.conn, delta, now)
		if err != nil {
			return errors.Join(err, s.conn.exec("ROLLBACK"))
		}
		s.loose += n
	}
	if err := s.trim(delta, now); err != nil {
		return errors.Join(err, s.conn.exec("ROLLBACK"))
	}
	if err := s.conn.exec("COMMIT"); err != nil {
		return err
	}
	s.press(looseRows)
	return nil
}

// looseRows is how many sealed cells may lie in the tables as they came, some MB.
const looseRows = 20_000

// press compresses the sealed tables once most rows have come since the last time: to a fifth. DuckDB does so when it makes a checkpoint, in memory too. It refuses
// while statements are at work on the tables, and then the next flush tries again.
func (s *cellStore) press(most int64) {
	if s.loose > most && s.conn.exec("CHECKPOINT") == nil {
		s.loose = 0
	}
}

// wait asks for the tables and blocks until they answer.
func (s *cellStore) wait(ctx context.Context, e *Engine) error {
	if !s.wanted.Swap(true) {
		e.feed.wakeUp()
	}
	for {
		if err := s.failed.Load(); err != nil {
			return *err
		}
		select {
		case <-s.ready:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-e.feed.done:
			return errors.Join(errClosed, e.feed.failure())
		case <-time.After(cellsEvery): // a failure is not announced
		}
	}
}

// needMinutes makes sure that the prompt has its cell tables when the statement names one.
func (e *Engine) needMinutes(ctx context.Context, s *statement) error {
	for _, t := range tiers {
		if s.relations[t.table] || s.relations[t.table+"_by_endpoint"] {
			return e.feed.minutes.prompt.wait(ctx, e)
		}
	}
	return nil
}
