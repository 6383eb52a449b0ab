package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// removeGrace is how long a removed file stays in its place although no pin needs it: for readers without pins (a read-only data
	// folder, an outsider with a list from `files`). Two minutes are longer than a question of theirs should take.
	removeGrace = 2 * time.Minute
	// trashWindow is how long a file stays in trash/: long enough to move it back by hand, short enough that a compaction of the whole
	// lake does not hold twice its size for long.
	trashWindow = 15 * time.Minute
	// sweepEvery is how often the owner looks for files whose grace or pin has ended: a fraction of the grace.
	sweepEvery = 15 * time.Second
)

// ourParquet is the name of a file that a transaction of ours made: first seq, last seq, transaction.
var ourParquet = regexp.MustCompile(`^[0-9]{20}-[0-9]{20}-([0-9a-f]{16})\.parquet$`)

// ourTemp is the name of a transaction's folder or waiting file in tmp/.
var ourTemp = regexp.MustCompile(`^([0-9a-f]{16})(\.commit)?$`)

// transactions are those of this process: only it makes files while it owns the lake.
type transactions struct {
	mu      sync.Mutex
	running map[string]bool
	failed  map[string]bool
}

func newTransactions() *transactions {
	return &transactions{running: map[string]bool{}, failed: map[string]bool{}}
}

// begin names a transaction whose files the sweep leaves alone until it has failed.
func (t *transactions) begin() string {
	id := NewTxID()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running[id] = true
	return id
}

func (t *transactions) end(id string, committed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.running, id)
	if !committed {
		t.failed[id] = true
	}
}

func (t *transactions) hasFailed(id string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failed[id]
}

// whenIdle runs fn while no transaction runs or begins, and says whether it did. fn takes no time.
func (t *transactions) whenIdle(fn func()) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.running) > 0 {
		return false
	}
	fn()
	return true
}

// sweepLoop is the owner's goroutine that takes away what no version names. Its troubles stand in Status.
func (l *Lake) sweepLoop(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	l.cat.troubles.tell(troubleLitter, l.sweep.sweepLitter())
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.litter:
			l.cat.troubles.tell(troubleLitter, errors.Join(l.sweep.sweepTmp(false), l.sweep.sweepLitter()))
		case <-tick.C:
			l.cat.troubles.tell(troubleSweep, l.sweep.sweepGone(MicrosOf(l.now())))
		}
	}
}

// sweeper takes away what no version names. Only the owner has one.
type sweeper struct {
	cat   *catalog
	txs   *transactions
	since time.Time // when this process became the owner, by the file system's clock: what is older is of dead processes

	mu      sync.Mutex
	foreign []string // files below processed/partitioned and rollup/ that are not ours, relative to the root
}

// sweepTmp removes what dead transactions left in tmp/: all of them at opening, the failed ones of this process later. Other names there are
// not ours to judge (an engine spills there). No commit is at work meanwhile.
func (s *sweeper) sweepTmp(opening bool) error {
	s.cat.mu.Lock()
	defer s.cat.mu.Unlock()
	dir := s.cat.layout.Tmp()
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, entry := range entries {
		m := ourTemp.FindStringSubmatch(entry.Name())
		if m != nil && (opening || m[2] != "" || s.txs.hasFailed(m[1])) {
			errs = append(errs, removeTree(s.cat.disk, filepath.Join(dir, entry.Name())))
		}
	}
	return errors.Join(errs...)
}

// removeTree removes a file or a folder with all that is in it.
func removeTree(d Disk, path string) error {
	entries, err := os.ReadDir(path)
	if err == nil {
		for _, entry := range entries {
			if err := removeTree(d, filepath.Join(path, entry.Name())); err != nil {
				return err
			}
		}
	}
	return d.Remove(path)
}

// sweepGone moves removed files to trash/ once no pin of any process needs them and their grace is over, and empties the trash.
func (s *sweeper) sweepGone(now Micros) error {
	c := s.cat
	oldest, err := oldestForeignPin(c.layout, c.oldestPin())
	if err != nil {
		return fmt.Errorf("read pins: %w", err)
	}
	gone := c.goneFiles()
	moved := map[fileKey]bool{}
	var errs []error
	for i := range gone {
		g := &gone[i]
		if g.version > oldest || now-g.at < Micros(removeGrace.Microseconds()) {
			continue
		}
		path := c.layout.Path(&g.entry)
		if g.rollup {
			path = c.layout.RollupPath(&g.entry)
		}
		if err := s.trash(path, now); err != nil {
			errs = append(errs, err)
			continue
		}
		moved[keyOf(&g.entry)] = true
	}
	if len(moved) > 0 {
		c.pub.Lock()
		c.gone = slices.DeleteFunc(slices.Clone(c.gone), func(g goneFile) bool { return moved[keyOf(&g.entry)] })
		c.pub.Unlock()
	}
	return errors.Join(append(errs, s.emptyTrash(now))...)
}

// trash moves a file of ours to trash/ under a name that says when and from where (names repeat across partitions). A file that is not there is fine. The folder that it leaves empty goes.
func (s *sweeper) trash(path string, now Micros) error {
	place := strings.TrimPrefix(path, s.cat.layout.Root+string(filepath.Separator))
	to := filepath.Join(s.cat.layout.Trash(), fmt.Sprintf("%d,%s", now, strings.ReplaceAll(place, string(filepath.Separator), ",")))
	if err := s.cat.disk.Rename(path, to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s.pruneDir(filepath.Dir(path))
	return nil
}

// pruneDir removes an empty partition folder and its empty parents. A conversion makes a folder before it moves a file there, so only
// while none runs.
func (s *sweeper) pruneDir(dir string) {
	root := s.cat.layout.Partitioned()
	for strings.HasPrefix(dir, root+string(filepath.Separator)) {
		var err error
		if idle := s.txs.whenIdle(func() { err = s.cat.disk.Remove(dir) }); !idle || err != nil {
			return // not empty, most of the time
		}
		dir = filepath.Dir(dir)
	}
}

func (s *sweeper) emptyTrash(now Micros) error {
	entries, err := os.ReadDir(s.cat.layout.Trash())
	if err != nil {
		return err
	}
	var errs []error
	for _, entry := range entries {
		stamp, _, ok := strings.Cut(entry.Name(), ",")
		at, err := strconv.ParseInt(stamp, 10, 64)
		if ok && err == nil && now-Micros(at) >= Micros(trashWindow.Microseconds()) {
			errs = append(errs, s.cat.disk.Remove(filepath.Join(s.cat.layout.Trash(), entry.Name())))
		}
	}
	return errors.Join(errs...)
}

// litterFile is one of our files as the walk met it.
type litterFile struct {
	path     string
	key      fileKey
	tx       string
	modified time.Time
}

// sweepLitter walks processed/partitioned and rollup/: files of dead transactions that neither the version nor a removal names go to the
// trash, foreign ones are named.
func (s *sweeper) sweepLitter() error {
	if err := s.cat.refresh(); err != nil { // a commit that is not settled must not look like litter
		return err
	}
	files, foreign, err := s.walk(s.cat.layout.Partitioned(), false)
	rollups, strange, err2 := s.walk(s.cat.layout.Rollup(), true)
	s.mu.Lock()
	s.foreign = append(foreign, strange...)
	s.mu.Unlock()
	errs := []error{err, err2}
	// First who is dead, then the version: whoever committed did so before.
	files = slices.DeleteFunc(append(files, rollups...), func(f litterFile) bool { return !s.dead(&f) })
	named := s.cat.named()
	now := MicrosOf(s.cat.now())
	for _, f := range files {
		if !named[f.key] {
			errs = append(errs, s.trash(f.path, now))
		}
	}
	return errors.Join(errs...)
}

// dead says whether nobody is about to commit the file: its transaction failed, or it is from before this process owned the lake. (A clock
// that was set back makes a file look younger: then it stays until the next opening.)
func (s *sweeper) dead(f *litterFile) bool {
	return s.txs.hasFailed(f.tx) || f.modified.Before(s.since)
}

// walk lists our files and the foreign ones of a zone, and removes empty folders of dead processes.
func (s *sweeper) walk(zone string, rollup bool) (ours []litterFile, foreign []string, err error) {
	err = filepath.WalkDir(zone, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if info, err := entry.Info(); path != zone && err == nil && info.ModTime().Before(s.since) {
				s.pruneDir(path)
			}
			return nil
		}
		f := litterFile{path: path, key: fileKey{name: entry.Name()}}
		m := ourParquet.FindStringSubmatch(entry.Name())
		place := strings.TrimPrefix(filepath.Dir(path), zone)
		partition, badPlace := ParsePartition(filepath.ToSlash(strings.TrimPrefix(place, string(filepath.Separator))))
		if m == nil || (rollup && place != "") || (!rollup && badPlace != nil) {
			foreign = append(foreign, strings.TrimPrefix(path, s.cat.layout.Root+string(filepath.Separator)))
			return nil
		}
		if !rollup {
			f.key.partition = partition
		}
		info, err := entry.Info()
		if err != nil {
			return ignoreMissing(err)
		}
		f.tx, f.modified = m[1], info.ModTime()
		ours = append(ours, f)
		return nil
	})
	return ours, foreign, err
}

// named are the files that the current version lists, and those that an earlier one did and that wait for their grace.
func (c *catalog) named() map[fileKey]bool {
	c.pub.Lock()
	v, gone := c.current(), c.gone
	c.pub.Unlock()
	out := make(map[fileKey]bool, len(v.Files)+len(v.Rollups)+len(gone))
	for _, list := range [][]FileEntry{v.Files, v.Rollups} {
		for i := range list {
			out[keyOf(&list[i])] = true
		}
	}
	for i := range gone {
		out[keyOf(&gone[i].entry)] = true
	}
	return out
}
