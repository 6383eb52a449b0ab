package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/signallake/signallake/lake"
)

// lateFor is how long a file that was rotated away is still looked at: a writer that is told to reopen its log may take its time.
const lateFor = time.Minute

// followAll follows every path at the same time, until ctx ends.
func (j *job) followAll(ctx context.Context, results []*Result) {
	stage := fmt.Sprintf("follow %d files, lines", len(results))
	if len(results) == 1 {
		stage = fmt.Sprintf("follow %s, lines", results[0].Name)
	}
	j.Progress.Start(stage, 0)
	if len(results) > 1 {
		j.Parsers = 1
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	for _, r := range results {
		wg.Go(func() {
			r.end(ctx, j.followOne(ctx, r), j.Now())
			if r.State == Failed && len(results) > 1 {
				j.Tell(fmt.Sprintf("%s: %v", r.Name, r.Err)) // the others go on for ever
			}
			if r.State == Failed && isBroken(r.Err) {
				stop()
			}
		})
	}
	wg.Wait()
}

// follower is the import of one path that goes on for ever.
type follower struct {
	*job
	result *Result
	sum    string // of the path
	last   mark   // of the file that was read under the path last
	known  bool   // last is set
	again  bool   // the first file is taken from its start

	late     sync.WaitGroup
	mu       sync.Mutex
	overdues []*Result // what came late into files that were rotated away
}

func (j *job) followOne(ctx context.Context, r *Result) error {
	if r.Path == "-" {
		return j.one(ctx, r, "")
	}
	path, err := pathSum(r.Path)
	if err != nil {
		return err
	}
	f := &follower{job: j, result: r, sum: path, again: j.Again}
	f.last, f.known = j.memory.lastAt(path)
	ctx, cancel := context.WithCancel(ctx)
	defer f.settle(cancel)
	for {
		current, err := f.await(ctx)
		if errors.Is(err, errNotRegular) {
			return j.one(ctx, r, "")
		}
		if err != nil {
			return err
		}
		if current.zip != plain {
			defer current.close()
			j.Tell(fmt.Sprintf("%s: it is compressed, so nothing more is expected: it is imported and not followed", r.Name))
			return j.file(ctx, r, current, "", f.again)
		}
		if err := f.generation(ctx, current); err != nil {
			return err
		}
	}
}

// settle waits for what still runs beside and adds it to the result.
func (f *follower) settle(cancel func()) {
	cancel()
	f.late.Wait()
	for _, r := range f.overdues {
		f.result.merge(r)
	}
}

// await opens the path once there is a file with something in it.
func (f *follower) await(ctx context.Context) (*file, error) {
	for told := false; ; {
		current, err := openFile(f.result.Path)
		switch {
		case err == nil && current.size > 0:
			return current, nil
		case err == nil:
			if err := current.close(); err != nil {
				return nil, err
			}
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		case !told:
			f.Tell(fmt.Sprintf("%s: there is no such file yet; waiting for it", f.result.Path))
			told = true
		}
		if err := pause(ctx, f.Poll); err != nil {
			return nil, err
		}
	}
}

// generation imports what the path names until that is rotated: first what its predecessors still hold, then the file itself.
func (f *follower) generation(ctx context.Context, current *file) error {
	in, err := f.begin(ctx, current)
	if err != nil {
		return errors.Join(err, current.close())
	}
	release, err := f.Claims.claim(current.f)
	if err != nil {
		return errors.Join(err, current.close())
	}
	live := &liveFile{path: f.result.Path, f: current.f, off: in.mark.Offset, window: in.window, poll: f.Poll}
	in.src, in.raw, in.lines = live, nil, true
	if in.mark.Offset == 0 {
		in.sample = nil // what is there may still be too little to tell the format
	} else {
		f.Tell(fmt.Sprintf("%s: goes on at line %s", f.result.Name, lake.Thousands(in.mark.line()+1)))
	}
	err = f.stream(ctx, ctx, in)
	release()
	if err != nil && (isStop(ctx, err) || isBroken(err) || !live.over) {
		return errors.Join(err, current.close())
	}
	if err != nil { // it was rotated away before it made sense
		f.Tell(fmt.Sprintf("%s: %v", f.result.Path, err))
		return current.close()
	}
	f.last, f.known = in.mark, true
	if !live.moved {
		return current.close()
	}
	f.late.Go(func() { f.watchLate(ctx, current, in.mark.Offset) })
	return nil
}

// begin finds the position in the current file, after it has caught up with files that had the path before.
func (f *follower) begin(ctx context.Context, current *file) (*input, error) {
	in, err := f.locate(f.result, current, f.again)
	if err == nil && f.known && !f.again && f.last.origin() != in.mark.origin() {
		in.end()
		if err := f.catchUp(ctx, current); err != nil {
			return nil, err
		}
		in, err = f.locate(f.result, current, false)
	}
	if err != nil {
		return nil, err
	}
	f.again = false
	in.end()
	return in, nil
}

// catchUp imports what was written while nobody looked: the rest of the file that the path named last, wherever the rotation has put it, and
// the files that came and went between it and the current one.
func (f *follower) catchUp(ctx context.Context, current *file) error {
	all, err := siblings(f.result.Path)
	if err != nil {
		return fmt.Errorf("look for rotated files beside %s: %w", f.result.Path, err)
	}
	found := -1
	for i, s := range all {
		if f.isLast(s.path) && (found < 0 || !compressedTwin(all, s)) {
			found = i
		}
	}
	if found < 0 {
		f.Tell(fmt.Sprintf("%s: the file that was followed before is gone after its line %s; what was written to it later is not imported",
			f.result.Name, lake.Thousands(f.last.line())))
		return nil
	}
	for i, s := range all[found:] {
		if i > 0 && (!s.rotated || compressedTwin(all, s) || f.isCurrent(s.path, current)) {
			continue
		}
		if err := f.rest(ctx, s.path); err != nil {
			return err
		}
	}
	return nil
}

// isLast tells whether a file is the one that the path named last.
func (f *follower) isLast(path string) bool {
	file, err := openFile(path)
	if err != nil {
		return false
	}
	defer file.close()
	head, err := file.peek(f.last.HeadLen)
	if err != nil || len(head) < f.last.HeadLen || sum(head) != f.last.Head {
		return false
	}
	s, err := file.resume(&f.last)
	if err != nil || s == nil {
		return false
	}
	s.end()
	return true
}

func (f *follower) isCurrent(path string, current *file) bool {
	info, err := os.Stat(path)
	mine, merr := current.f.Stat()
	return err == nil && merr == nil && os.SameFile(info, mine)
}

// rest imports what a rotated file holds and the lake does not have. A file that is gone meanwhile, or is no log, is told and passed over.
func (f *follower) rest(ctx context.Context, path string) error {
	file, err := openFile(path)
	if err == nil {
		defer file.close()
		r := newResult(f.result.Path, f.Now())
		r.Name = f.result.Name
		err = f.file(ctx, r, file, "", false)
		f.result.merge(r)
	}
	if err == nil || errors.Is(err, errEmpty) || errors.Is(err, errClaimed) { // watchLate is at it
		return nil
	}
	if isStop(ctx, err) || isBroken(err) {
		return err
	}
	f.Tell(fmt.Sprintf("%s: %v", path, err))
	return nil
}

// watchLate goes on looking at a file that was rotated away, for what its writer still puts into it, and closes it in the end.
func (f *follower) watchLate(ctx context.Context, old *file, size int64) {
	defer old.close()
	for polls := int(lateFor / f.Poll); polls > 0; polls-- {
		if pause(ctx, f.Poll) != nil {
			return
		}
		info, err := old.f.Stat()
		if err != nil || info.Size() < size {
			return
		}
		if info.Size() == size || (!endsLine(old.f, info.Size()) && polls > 1) {
			continue
		}
		old.size = info.Size()
		r := newResult(f.result.Path, f.Now())
		err = f.file(ctx, r, old, "", false)
		f.mu.Lock()
		f.overdues = append(f.overdues, r)
		f.mu.Unlock()
		if errors.Is(err, errClaimed) {
			continue
		}
		if err != nil {
			if !isStop(ctx, err) {
				f.Tell(fmt.Sprintf("%s: what was written after its rotation: %v", f.result.Path, err))
			}
			return
		}
		size = old.size
	}
}

// endsLine tells whether the byte before the given size is a line end.
func endsLine(f *os.File, size int64) bool {
	var last [1]byte
	n, err := f.ReadAt(last[:], size-1)
	return n == 1 && (err == nil || err == io.EOF) && last[0] == '\n'
}
