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

// minuteFeed keeps the cell tables of both instances: those of the panels from the start, those of the prompt once a statement names them.
type minuteFeed struct {
	engine *Engine
	stores []*cellStore // begun ones
	panels *cellStore
	prompt *cellStore
	wanted atomic.Bool // the prompt's tables
	due    time.Time   // of the next flush; zero: nothing to flush
	pause  time.Time   // no flush before
}

// cellStore is the cell tables of one instance. They count each event once: what lies below the watermark of the version that load pins, by its
// rollup files; what lies between that and from, by reading the log once more; everything above as the feed hands it on.
type cellStore struct {
	conn  *conn
	from  lake.Seq // events below it are load's
	delta *rollup.Cells
	dirty bool
	cells [len(tiers)]*openCells

	loading chan struct{} // closed when load has ended; the feed does not touch conn before
	base    *rollup.Cells // load's part of the log
	loadErr error
	ready   chan struct{} // closed at the first flush after load
	isReady bool
	counted atomic.Int64 // one past the newest event counted
	asOf    atomic.Int64 // received_at of the newest event counted
	failed  atomic.Pointer[error]
}

func newMinuteFeed(e *Engine) *minuteFeed {
	return &minuteFeed{engine: e, panels: newCellStore(e.panels.conns[1]), prompt: newCellStore(e.prompt.conns[1])}
}

func newCellStore(c *conn) *cellStore {
	return &cellStore{conn: c, delta: rollup.New(), ready: make(chan struct{})}
}

// begin starts the panels' store at pos, which is the watermark of the pinned version.
func (m *minuteFeed) begin(ctx context.Context, pin *lake.Pin, pos lake.Seq) {
	m.stores = append(m.stores, m.panels)
	m.panels.load(ctx, m.engine.lake, pin, pos)
}

// restart counts everything anew up to pos: the log took something back.
func (m *minuteFeed) restart(ctx context.Context, pos lake.Seq) error {
	for _, s := range m.stores {
		<-s.loading
		s.load(ctx, m.engine.lake, m.engine.lake.Pin(), pos)
	}
	return nil
}

// stop waits for what reads in the background. Its context has ended.
func (m *minuteFeed) stop() {
	for _, s := range m.stores {
		<-s.loading
	}
}

func (m *minuteFeed) ready() bool {
	select {
	case <-m.panels.ready:
		return true
	default:
		return false
	}
}

func (m *minuteFeed) add(e *lake.Event, seq lake.Seq) {
	for _, s := range m.stores {
		if seq >= s.from {
			s.delta.Add(int64(e.Timestamp), e.ServiceName, e.Endpoint, e.Region, e.StatusCode, e.LatencyMS, e.HasLatency)
			s.dirty = true
		}
	}
	if m.due.IsZero() {
		m.due = time.Now().Add(cellsEvery)
	}
}

// dueAt is when flushDue wants to be called; zero: no matter when.
func (m *minuteFeed) dueAt() time.Time {
	if m.due.IsZero() || m.due.After(m.pause) {
		return m.due
	}
	return m.pause
}

// flushDue writes the cells that changed. pos and received are of the newest event handed on.
func (m *minuteFeed) flushDue(ctx context.Context, pos lake.Seq, received lake.Micros) error {
	now := time.Now()
	if m.wanted.Load() && len(m.stores) == 1 {
		m.stores = append(m.stores, m.prompt)
		m.prompt.load(ctx, m.engine.lake, m.engine.lake.Pin(), pos)
	}
	due := m.dueAt()
	timeUp := !due.IsZero() && !now.Before(due)
	for _, s := range m.stores {
		if s.isLoading() || s.isReady && !timeUp {
			continue
		}
		if err := s.flush(now); err != nil {
			return err
		}
	}
	if timeUp {
		m.due = time.Time{}
		m.pause = time.Now().Add(cellsShare * time.Since(now))
	}
	for _, s := range m.stores {
		if s.isLoading() || s.dirty {
			if m.due.IsZero() {
				m.due = now.Add(cellsEvery)
			}
			continue
		}
		s.counted.Store(int64(pos))
		s.asOf.Store(int64(received))
	}
	return nil
}

func (s *cellStore) isLoading() bool {
	select {
	case <-s.loading:
		return false
	default:
		return true
	}
}

// flush merges what came in, in one transaction: a reader sees all four tables of a tier at the same moment.
func (s *cellStore) flush(now time.Time) error {
	if s.loadErr != nil {
		s.failed.Store(&s.loadErr)
		return nil // the panels tell; hot rows go on
	}
	if s.base != nil {
		s.delta.Merge(s.base)
		s.base, s.dirty = nil, true
	}
	if s.dirty {
		if err := s.transact(now); err != nil {
			return fmt.Errorf("refresh the minute tables: %w", err)
		}
		s.delta, s.dirty = rollup.New(), false
	}
	if !s.isReady {
		s.isReady = true
		close(s.ready)
	}
	return nil
}

func (s *cellStore) transact(now time.Time) error {
	if err := s.conn.exec("BEGIN"); err != nil {
		return err
	}
	for _, cells := range s.cells {
		if err := cells.merge(s.conn, s.delta, now); err != nil {
			return errors.Join(err, s.conn.exec("ROLLBACK"))
		}
	}
	return s.conn.exec("COMMIT")
}

// wait blocks until the tables answer.
func (s *cellStore) wait(ctx context.Context, e *Engine) error {
	select {
	case <-s.ready:
	default:
		select {
		case <-s.ready:
		case <-ctx.Done():
			return ctx.Err()
		case <-e.feed.done:
			return errors.Join(errClosed, e.feed.failure())
		}
	}
	if err := s.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// needMinutes makes sure that the prompt has its cell tables when the statement names one.
func (e *Engine) needMinutes(ctx context.Context, s *statement) error {
	for _, t := range tiers {
		if s.relations[t.table] || s.relations[t.table+"_by_endpoint"] {
			e.feed.minutes.wanted.Store(true)
			e.feed.wakeUp()
			return e.feed.minutes.prompt.wait(ctx, e)
		}
	}
	return nil
}
