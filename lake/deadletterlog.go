package lake

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"
)

// deadZone is the lake's dead letters. Letters that are buried while a sync runs go with the next one, in one write: the first of them leads,
// the others wait. A read-only zone follows the files.
type deadZone struct {
	layout   Layout
	disk     Disk
	now      func() time.Time
	limit    int64 // bytes
	readOnly bool
	tell     func(error) // gets what went wrong with files that are no longer needed, or nil

	gathering sync.Mutex
	gathers   *burial // takes letters until its turn comes; nil: none does

	turn    sync.Mutex // held by who writes or follows; guards what follows
	file    File       // that is written; nil: none yet
	restart bool       // the newest file may be written on
	end     int64      // one above the newest letter that was acknowledged
	buf     []byte
	closed  bool

	mu    sync.Mutex // guards books, which are changed by who has the turn
	books deadBooks
}

// burial is letters that become durable together.
type burial struct {
	lines [][]byte // without ID and checksum, with newline
	n     int64
	first int64 // ID, set when it is done
	done  chan struct{}
	err   error
}

// fileShare is how many files the zone has at most, about: as much goes at once when it is full.
const fileShare = 16

func followDeadZone(l Layout) *deadZone { return &deadZone{layout: l, readOnly: true} }

// openDeadZone takes the zone over: it cuts off what a crash left half written. An error wraps ErrNewer before anything was changed.
func openDeadZone(l Layout, d Disk, now func() time.Time, limit int64, tell func(error)) (*deadZone, error) {
	z := &deadZone{layout: l, disk: d, now: now, limit: limit, tell: tell, books: deadBooks{next: 1}}
	if err := z.books.refresh(l); err != nil {
		return nil, fmt.Errorf("open the dead letters: %w", err)
	}
	if err := z.mend(); err != nil {
		return nil, fmt.Errorf("open the dead letters: %w", err)
	}
	z.end, z.restart = z.books.next, true
	return z, nil
}

// mend cuts the newest file behind its last sound line, and removes files without any whose letters were never acknowledged. Whatever stood
// there keeps its IDs, as a reader may have seen them.
func (z *deadZone) mend() error {
	b := &z.books
	for i := len(b.files) - 1; i >= 0; i-- {
		f := b.files[i]
		newest := i == len(b.files)-1
		switch {
		case !f.sound && (newest || b.files[i+1].end != 0 && b.files[i+1].end <= f.name):
			if err := z.remove(f.name); err != nil {
				return err
			}
			b.files = slices.Delete(b.files, i, i+1)
		case newest:
			path := z.layout.DeadFile(f.name)
			if info, err := os.Stat(path); err != nil {
				return err
			} else if info.Size() == f.size {
				continue
			}
			if err := cutFile(z.disk, path, f.size, nil); err != nil {
				return err
			}
			b.next += f.doubt + 1
			b.files[i].doubt = 0
		}
	}
	return nil
}

func (z *deadZone) remove(name int64) error {
	if err := removeIfThere(z.disk, z.layout.DeadFile(name)); err != nil {
		return err
	}
	return z.disk.SyncDir(z.layout.Dead())
}

// refresh takes in what the owner has added; the owner knows already.
func (z *deadZone) refresh() error {
	if !z.readOnly {
		return nil
	}
	z.turn.Lock()
	defer z.turn.Unlock()
	books := z.snapshot()
	err := books.refresh(z.layout)
	if err == nil {
		z.publish(books)
	}
	return err
}

// snapshot is a copy of the books.
func (z *deadZone) snapshot() deadBooks {
	z.mu.Lock()
	defer z.mu.Unlock()
	b := z.books
	b.files, b.live = slices.Clone(b.files), slices.Clone(b.live)
	return b
}

func (z *deadZone) publish(b deadBooks) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.books = b
}

func (z *deadZone) status() DeadStatus {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.books.status()
}

func (z *deadZone) list(since int64, fn func(*DeadLetter) error) error {
	b := z.snapshot()
	return b.list(z.layout, since, fn)
}

// bury makes letters durable and gives them their IDs.
func (z *deadZone) bury(ctx context.Context, letters []DeadLetter) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var lines []byte
	for _, letter := range letters {
		if letter.At == 0 {
			letter.At = MicrosOf(z.now())
		}
		kept, err := letter.bounded()
		if err != nil {
			return err
		}
		lines = append(kept.appendRest(lines), '\n')
	}
	z.gathering.Lock()
	g, leads := z.gathers, false
	if g == nil {
		g, leads = &burial{done: make(chan struct{})}, true
		z.gathers = g
	}
	before := g.n
	g.lines, g.n = append(g.lines, lines), g.n+int64(len(letters))
	z.gathering.Unlock()
	if leads {
		z.lead(g)
	}
	select {
	case <-g.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if g.err != nil {
		return g.err
	}
	for i := range letters {
		letters[i].ID = g.first + before + int64(i)
	}
	return nil
}

// lead waits for the turn, closes the group and writes it.
func (z *deadZone) lead(g *burial) {
	z.turn.Lock()
	defer z.turn.Unlock()
	z.gathering.Lock()
	z.gathers = nil
	z.gathering.Unlock()
	g.first = z.books.next
	g.err = z.write(func(dst []byte, next int64) ([]byte, int64, error) {
		for _, lines := range g.lines {
			dst, next = appendLetters(dst, lines, next)
		}
		return dst, next, nil
	})
	close(g.done)
}

// write makes the lines that fill appends durable and takes them into the books. fill gets the next ID and answers the one behind its own.
func (z *deadZone) write(fill func(dst []byte, next int64) ([]byte, int64, error)) error {
	if z.closed {
		return ErrClosed
	}
	b := &z.books
	t := z.target()
	buf := z.buf[:0]
	var err error
	switch {
	case t.fresh:
		buf, err = appendDeadRecord(buf, deadRecord{Dead: &deadHeader{deadFormat, t.name, z.end, b.deadDrop}})
	case z.file == nil:
		buf = append(buf, '\n') // whatever an earlier process may have believed to be on the disk, our first line begins a line
	}
	next := b.next
	if err == nil {
		buf, next, err = fill(buf, next)
	}
	if below := b.excess(int64(len(buf)), z.limit, t.name); err == nil && below > b.Below {
		buf, err = appendDeadRecord(buf, deadRecord{Drop: &deadDrop{b.Dropped + b.kept(0, below), below}})
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBury, err)
	}
	next = max(next, t.name+1)
	err = z.put(t, buf)
	z.mu.Lock()
	if err == nil {
		err = b.wrote(t, buf)
	}
	b.next = max(b.next, next)
	z.mu.Unlock()
	if err != nil {
		z.giveUp(t)
		return fmt.Errorf("write %s: %w: %w", z.layout.DeadFile(t.name), ErrBury, err)
	}
	z.end = b.next
	if z.buf = buf; cap(buf) > maxDeadBuffer {
		z.buf = nil
	}
	if b.files[len(b.files)-1].size >= z.limit/fileShare {
		z.rest()
	}
	z.collect(false)
	return nil
}

// maxDeadBuffer is kept for the next write.
const maxDeadBuffer = 1 << 20

// deadTarget is where a write goes.
type deadTarget struct {
	name  int64
	at    int64 // offset
	fresh bool  // it is a new file
}

// target is the file at hand, the newest one that an earlier process left (so that many short runs do not leave many files), or a new one.
func (z *deadZone) target() deadTarget {
	if n := len(z.books.files); n > 0 {
		last := &z.books.files[n-1]
		if z.file != nil || z.restart && last.end != 0 && last.size < z.limit/fileShare {
			return deadTarget{name: last.name, at: last.size}
		}
	}
	return deadTarget{name: z.books.next, fresh: true}
}

func (z *deadZone) put(t deadTarget, p []byte) (err error) {
	path := z.layout.DeadFile(t.name)
	switch {
	case t.fresh:
		z.file, err = z.disk.Create(path)
	case z.file == nil:
		z.file, err = z.disk.OpenWrite(path)
	}
	if err != nil {
		return err
	}
	if _, err := z.file.WriteAt(p, t.at); err != nil {
		return err
	}
	if err := z.file.Sync(); err != nil || !t.fresh {
		return err
	}
	return z.disk.SyncDir(z.layout.Dead())
}

// rest closes the file at hand: the next write makes a new one.
func (z *deadZone) rest() {
	if z.file != nil {
		z.file.Close() // everything acknowledged is synced already
	}
	z.file, z.restart = nil, false
}

// giveUp leaves the file behind after a failure: its descriptor is of no use, as the next sync might report success with the data lost. The
// next file says that what it holds beyond the acknowledged does not count; taking that away now only keeps the folder tidy.
func (z *deadZone) giveUp(t deadTarget) {
	made := z.file != nil
	z.rest()
	switch {
	case !t.fresh:
		_ = cutFile(z.disk, z.layout.DeadFile(t.name), t.at, nil)
	case made:
		_ = z.disk.Remove(z.layout.DeadFile(t.name))
	}
}

// collect removes the oldest files that hold nothing that counts, but never the newest: its first line is what remains of them. One with damaged
// lines stays for its turn, unless they may go too.
func (z *deadZone) collect(damaged bool) {
	b := &z.books
	var err error
	removed := false
	for err == nil && len(b.files) > 1 {
		f, to := b.files[0], b.files[1].name
		if b.kept(f.name, to) > 0 || f.damaged > 0 && to > b.Below && !damaged {
			break
		}
		if err = removeIfThere(z.disk, z.layout.DeadFile(f.name)); err == nil {
			removed = true
			z.mu.Lock()
			b.files = b.files[1:]
			z.mu.Unlock()
		}
	}
	if removed {
		err = errors.Join(err, z.disk.SyncDir(z.layout.Dead()))
	}
	if err != nil {
		err = fmt.Errorf("remove dead letters that are no longer kept: %w", err)
	}
	z.tell(err)
}

func (z *deadZone) close() error {
	z.turn.Lock()
	defer z.turn.Unlock()
	z.closed = true
	z.rest()
	return nil
}
