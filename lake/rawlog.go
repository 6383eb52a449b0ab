package lake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// groupBytes and groupEvents bound what one pair of syncs makes durable: enough to keep a fast disk busy, little enough that a lone sender
	// behind a full group waits some tens of milliseconds. A larger batch is a group of its own.
	groupBytes  = 8 << 20
	groupEvents = 1 << 18

	// A batch's bounds. With groupEvents it stays below seqJump, so that no reader can have seen a seq that a later segment uses.
	maxBatchBytes  = 64 << 20
	maxBatchEvents = 1 << 18

	// seqJump is left out after anything that may have taken events back which a reader in another process saw: its position then lies in a gap.
	seqJump = 1 << 20

	defaultSegmentBytes = 64 << 20
)

// rawLog is the write-ahead log: segments of plain JSONL, each with an index file. The owner's rawLog has one writer goroutine, which alone
// touches the files; while one pair of fdatasyncs runs, the next group of batches gathers. What readers may see is published in one
// immutable view after the syncs. A read-only rawLog builds its view from the files each time it is asked.
type rawLog struct {
	rawConfig
	secret    *hashKey      // with which events are hashed; nil: they are not compared
	closed    chan struct{} // closed by close
	closeOnce sync.Once
	closeErr  error

	current atomic.Pointer[logView]
	known   atomic.Int64 // entries of the window

	mu      sync.Mutex
	arrived *sync.Cond // with mu: pending has grown, or closing
	pending []*request
	closing bool
	changed chan struct{} // closed when current moves on; nil while nobody waits
	damage  []string      // what quarantined answers

	follow follower  // of a read-only log
	w      logWriter // the writer goroutine's own
	done   chan struct{}
}

// rawConfig says how a raw log is opened.
type rawConfig struct {
	layout       Layout
	disk         Disk
	now          func() time.Time // gives the batches' times
	segmentBytes int64            // 0: 64 MiB
	windowEvents int              // 0 or less: no event is compared
	journal      journalPlan
	readOnly     bool
}

// request is one batch, or one task, on its way through the writer.
type request struct {
	batch   Batch
	keys    []eventKey // of the batch's events; empty when none is to be compared
	keyer   keyer
	task    func() error // instead of a batch; runs alone
	twice   []int        // which of the events are duplicates
	runs    [][]byte     // what is written of the batch's lines
	size    int          // of the runs
	crc     uint32       // of the runs
	first   Seq
	receipt Receipt
	err     error
	done    chan struct{} // has room for one token, which says that receipt and err are set
}

// openRawLog opens the log. The owner's open repairs what a crash left, seals it, and refuses a newer format (ErrNewer) before it changes
// anything; the first append makes a new segment.
func openRawLog(cfg rawConfig) (*rawLog, error) {
	if cfg.segmentBytes <= 0 {
		cfg.segmentBytes = defaultSegmentBytes
	}
	r := &rawLog{rawConfig: cfg, closed: make(chan struct{}), done: make(chan struct{})}
	r.arrived = sync.NewCond(&r.mu)
	if r.readOnly {
		close(r.done)
		if _, err := r.view(); err != nil {
			return nil, err
		}
		return r, nil
	}
	for _, dir := range []string{r.layout.Raw(), r.layout.Window()} {
		if err := r.disk.MkdirAll(dir); err != nil {
			return nil, fmt.Errorf("open the raw log: %w", err)
		}
	}
	found, err := recoverLog(r.layout, r.disk)
	if err != nil {
		return nil, fmt.Errorf("open the raw log: %w", err)
	}
	r.damage = found.damage
	side := &sideFiles{layout: r.layout, disk: r.disk, now: r.now, limit: max(0, r.windowEvents)}
	window, err := side.load(found.segments)
	if err != nil {
		r.damage = append(r.damage, err.Error())
	}
	r.secret = side.secret
	r.current.Store(&logView{closed: found.segments, end: found.end})
	r.w = logWriter{log: r, next: found.next, end: found.end, window: window, side: side,
		journal: journal{journalPlan: r.journal, disk: r.disk, layout: r.layout}}
	r.known.Store(int64(len(window.ring)))
	go r.write()
	return r, nil
}

// append makes a batch durable. Until it returns, b.Lines must not change. When it fails with ErrLogFailed the batch is not acknowledged, and the next
// append goes to a new segment; with ctx's error it was not written at all.
func (r *rawLog) append(ctx context.Context, b Batch) (Receipt, error) {
	if err := checkBatch(&b); err != nil {
		return Receipt{}, err
	}
	q := requests.Get().(*request)
	defer func() {
		clear(q.runs)
		*q = request{keys: q.keys[:0], keyer: keyer{scratch: q.keyer.scratch}, twice: q.twice[:0], runs: q.runs[:0], done: q.done}
		requests.Put(q)
	}()
	q.batch, q.crc = b, crc32c(0, b.Lines)
	if r.secret != nil && b.Given != nil {
		q.keyer.secret = r.secret
		var err error
		if q.keys, err = q.keyer.batch(q.keys, &b); err != nil {
			return Receipt{}, err
		}
	}
	err := r.do(ctx, q)
	return q.receipt, err
}

// requests are used again and again: one append would otherwise allocate a request and a channel.
var requests = sync.Pool{New: func() any { return &request{done: make(chan struct{}, 1)} }}

func checkBatch(b *Batch) error {
	switch lines := bytes.Count(b.Lines, []byte{'\n'}); {
	case b.N == 0 && lines == 0 && len(b.Lines) == 0:
		if b.Remark == nil && len(b.Note) == 0 {
			return errors.New("append to the raw log: a batch of no events needs a note")
		}
	case b.N <= 0 || lines != b.N || b.Lines[len(b.Lines)-1] != '\n':
		return fmt.Errorf("append to the raw log: a batch of %d events holds %d lines; each must end with its newline, and there must be one", b.N, lines)
	case b.N > maxBatchEvents || len(b.Lines) > maxBatchBytes:
		return fmt.Errorf("append to the raw log: a batch of %d events, %d bytes is too large: split it below %d events and %d bytes",
			b.N, len(b.Lines), maxBatchEvents, maxBatchBytes)
	case b.Given != nil && len(b.Given) != b.N:
		return fmt.Errorf("append to the raw log: a batch of %d events says of %d whether their ids were given", b.N, len(b.Given))
	}
	if len(b.Note) > maxNote {
		return fmt.Errorf("append to the raw log: %w", errNoteSize(b.Note))
	}
	return nil
}

// do hands q to the writer and waits until it is through.
func (r *rawLog) do(ctx context.Context, q *request) error {
	if r.readOnly {
		return ErrReadOnly
	}
	r.mu.Lock()
	if r.closing {
		r.mu.Unlock()
		return ErrClosed
	}
	if err := ctx.Err(); err != nil {
		r.mu.Unlock()
		return err
	}
	r.pending = append(r.pending, q)
	r.mu.Unlock()
	r.arrived.Signal()
	select {
	case <-q.done:
		return q.err
	case <-ctx.Done():
	}
	if r.withdraw(q) {
		return ctx.Err()
	}
	<-q.done // it is being written: its lines are in use, and the answer is near
	return q.err
}

// withdraw takes q back when the writer has not begun with it.
func (r *rawLog) withdraw(q *request) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, p := range r.pending {
		if p == q {
			r.pending = append(r.pending[:i], r.pending[i+1:]...)
			return true
		}
	}
	return false
}

// gather waits for work and takes what one group may hold, or one task. It answers nothing when the log closes and all is done.
func (r *rawLog) gather(group []*request) []*request {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.pending) == 0 && !r.closing {
		r.arrived.Wait()
	}
	size, events := 0, 0
	for i, q := range r.pending {
		size += len(q.batch.Lines)
		events += q.batch.N
		if i > 0 && (q.task != nil || group[0].task != nil || size > groupBytes || events > groupEvents) {
			break
		}
		group = append(group, q)
	}
	rest := copy(r.pending, r.pending[len(group):])
	clear(r.pending[rest:])
	r.pending = r.pending[:rest]
	return group
}

// task runs fn in the writer goroutine, after the batches that came before it.
func (r *rawLog) task(fn func() error) error {
	return r.do(context.Background(), &request{task: fn, done: make(chan struct{}, 1)})
}

// seal ends the open segment: when it returns nil, every segment with events is sealed, durably. Nothing happens to an empty one.
func (r *rawLog) seal() error { return r.task(r.w.sealAll) }

// reserve makes sure that no seq below min is given from now on: for an owner whose catalog knows more than raw/ still holds.
func (r *rawLog) reserve(min Seq) error {
	return r.task(func() error {
		if r.w.open == nil && r.w.end < min {
			r.w.next, r.w.end = max(r.w.next, min), min
			r.publish(func(v *logView) { v.end = min })
		}
		return nil
	})
}

// publish replaces the view by a changed copy and wakes who waits. Only the writer (or whoever runs in it) calls it.
func (r *rawLog) publish(change func(*logView)) {
	v := *r.current.Load()
	change(&v)
	r.current.Store(&v)
	r.mu.Lock()
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
	r.mu.Unlock()
}

// wake returns a channel that is closed when the view moves on from now.
func (r *rawLog) wake() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	return r.changed
}

// view is what readers may see now.
func (r *rawLog) view() (*logView, error) {
	if r.readOnly {
		return r.follow.refresh(r.layout)
	}
	return r.current.Load(), nil
}

// segments lists the segments in the order of seq: those that hold events, sealed or not. Only the last one can be open; one before it that is not Sealed waits
// for its seal to succeed. Of a read-only log it is what the files say now; a problem with them leaves the list as it last was.
func (r *rawLog) segments() []Segment {
	view, err := r.view()
	if err != nil {
		view = r.follow.latest()
	}
	list := make([]Segment, 0, view.len())
	for i := range view.len() {
		if s := view.at(i).Segment; s.End > s.First {
			list = append(list, s)
		}
	}
	return list
}

// committed is one past the newest committed event.
func (r *rawLog) committed() Seq {
	view, err := r.view()
	if err != nil {
		view = r.follow.latest()
	}
	return view.end
}

// newestAppend is when the newest committed event was appended.
func (r *rawLog) newestAppend() Micros {
	view, err := r.view()
	if err != nil {
		view = r.follow.latest()
	}
	if view.len() == 0 {
		return 0
	}
	return view.at(view.len() - 1).newest
}

// waitCommitted returns when committed() is above the given seq.
func (r *rawLog) waitCommitted(ctx context.Context, above Seq) error {
	for {
		wake := r.wake()
		if r.committed() > above {
			return nil
		}
		if err := r.pause(ctx, wake); err != nil {
			return err
		}
	}
}

// pollInterval is how often a reader in another process looks: the index is a file in the page cache, and 50 ms are not seen on a screen.
const pollInterval = 50 * time.Millisecond

// pause waits until the view may have moved on. wake must be older than the caller's last look at the view.
func (r *rawLog) pause(ctx context.Context, wake <-chan struct{}) error {
	var tick <-chan time.Time
	if r.readOnly {
		timer := time.NewTimer(pollInterval)
		defer timer.Stop()
		tick = timer.C
	}
	select {
	case <-wake:
	case <-tick:
	case <-ctx.Done():
		return ctx.Err()
	case <-r.closed:
		return ErrClosed
	}
	return nil
}

// quarantined names, a sentence each, what recovery found damaged and set aside.
func (r *rawLog) quarantined() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.damage...)
}

// close lets the appends that are under way end, seals the open segment, and wakes every tail with ErrClosed.
func (r *rawLog) close() error {
	r.closeOnce.Do(func() {
		r.mu.Lock()
		r.closing = true
		r.mu.Unlock()
		r.arrived.Signal()
		<-r.done
		close(r.closed)
		if !r.readOnly {
			r.closeErr = r.w.finish()
			r.w.journal.abandon()
		}
	})
	return r.closeErr
}

// removeIfThere removes a file that may be gone already.
func removeIfThere(d Disk, path string) error {
	if err := d.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
