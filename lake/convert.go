package lake

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"
)

const (
	// runBytes is how much raw one run takes, seven full segments: its events are in memory at about a quarter of that until they are written,
	// and a commit in between makes what is done visible and keeps it when the rest is cancelled. A partition has one file of every run that
	// meets its day, so fewer runs mean fewer files, for questions as for the disk: ten million events of a week take 1,500 files and 300 to
	// 350 MB of the process this way, 1,850 files and 230 MB with runs of four segments.
	runBytes = 456 << 20
	// runAWindow is how much less raw a run takes for each byte of the window of known events, which is there beside it: a full one, of 54 MiB, is worth two
	// segments.
	runAWindow = 2
	// convertWorkers bounds how many cores a conversion takes: each worker holds a row group in memory, and questions want cores too.
	convertWorkers = 4
)

// Convert seals the open raw segment and turns every sealed one that is not yet converted into Parquet: in runs, each with one file a
// partition and ONE commit, so that every event is visible exactly once at every moment. Late events go to their own day. It stops between
// chunks when ctx is cancelled: the runs that were committed stay, of the one at hand nothing is visible and the sweep takes what it left.
// The same events are converted by the next call. Runs never overlap, whoever starts them: a second call waits for the first.
func (l *Lake) Convert(ctx context.Context, p *Progress) (ConvertResult, error) {
	started := time.Now()
	var result ConvertResult
	if err := l.writable(); err != nil {
		return result, err
	}
	if err := l.takeConvertTurn(ctx); err != nil {
		return result, err
	}
	defer l.endConvertTurn()
	ctx, stop := l.untilClosed(ctx)
	defer stop()
	err := l.convertAll(ctx, p, &result)
	result.Version = l.Current().Number
	result.Elapsed = time.Since(started)
	if err != nil {
		return result, fmt.Errorf("convert: %w", err)
	}
	return result, nil
}

// takeConvertTurn waits until no other conversion runs.
func (l *Lake) takeConvertTurn(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case l.convertTurn <- struct{}{}:
		l.converting.Add(1)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-l.closed:
		return ErrClosed
	}
}

func (l *Lake) endConvertTurn() {
	l.converting.Add(-1)
	<-l.convertTurn
}

func (l *Lake) convertAll(ctx context.Context, p *Progress, result *ConvertResult) (err error) {
	if err := l.raw.seal(); err != nil {
		return err
	}
	memory, err := l.takeMemory()
	if err != nil {
		return err
	}
	defer func() { l.keepMemory(memory, err) }()
	end := l.raw.committed() // what comes in meanwhile is for the next call
	for {
		segments := nextRun(l.raw.segments(), l.Current().Watermark, end, l.runRoom())
		if len(segments) == 0 {
			return nil
		}
		if result.Commits > 0 {
			runtime.GC() // a few milliseconds: what little garbage the run before left does not come on top of this one's memory
		}
		if err := l.convertRun(ctx, segments, memory, p, result); err != nil {
			return err
		}
	}
}

// runRoom is how much raw the next run takes.
func (l *Lake) runRoom() int64 {
	return max(l.runBytes-runAWindow*entryBytes*l.raw.known.Load(), l.runBytes/2)
}

// nextRun are the next sealed segments from the watermark on that begin below end: as many as so many bytes allow, and one at least.
func nextRun(segments []Segment, watermark, end Seq, most int64) []Segment {
	var run []Segment
	var bytes int64
	for _, s := range segments {
		switch {
		case s.First < watermark || s.Events == 0:
			continue
		case !s.Sealed || s.First >= end || (len(run) > 0 && bytes+s.Bytes > most):
			return run
		}
		run = append(run, s)
		bytes += s.Bytes
	}
	return run
}

// convertRun converts some segments with one commit.
func (l *Lake) convertRun(ctx context.Context, segments []Segment, m *convertMemory, p *Progress, result *ConvertResult) (err error) {
	watermark := l.Current().Watermark
	p.Start("scan", 0)
	l.runFrom.Store(int64(watermark))
	id := l.beginTx()
	committed := false
	defer func() { l.endTx(id, committed) }()
	paced, ended := l.pace.begin(segments, time.Now())
	defer ended()
	c := &conversion{layout: l.layout, disk: l.disk, id: id, memory: m, progress: p}
	run, err := l.scanSegments(ctx, segments, m, p)
	if err != nil {
		return err
	}
	p.Start("write", run.events)
	files, cells, err := c.write(ctx, run)
	if err != nil {
		return err
	}
	p.Start("commit", run.events)
	if err := ctx.Err(); err != nil {
		return err
	}
	tx := Tx{
		ID: id, ExpectWatermark: watermark, NewWatermark: segments[len(segments)-1].End, Converted: run.events,
		Add: files, AddRollups: []FileEntry{cells},
	}
	if _, err := l.Commit(ctx, tx); err != nil {
		return err
	}
	committed = true
	paced(time.Now())
	p.Add(run.events)
	result.Events += run.events
	result.Files += len(files)
	for i := range files {
		result.Bytes += files[i].Bytes
	}
	result.Commits++
	return nil
}

// scanSegments reads the segments into memory.
func (l *Lake) scanSegments(ctx context.Context, segments []Segment, m *convertMemory, p *Progress) (*scannedRun, error) {
	var events int64
	for i := range segments {
		events += segments[i].Events
	}
	p.Start("scan", events)
	run, err := scanRun(ctx, &runLines{layout: l.layout, segments: segments}, m, p)
	switch damage := (*DamageError)(nil); {
	case errors.As(err, &damage):
		return nil, fmt.Errorf("%w: nothing of this run was converted, and what comes after it waits too; put %s back from a backup, or set the damaged events aside by `signallake-tui convert --repair`", err, damage.File)
	case err != nil:
		return nil, err
	case run.events != events:
		return nil, fmt.Errorf("raw segments %d to %d hold %d events, their books say %d: nothing was converted; `signallake-tui verify` says where",
			segments[0].First, segments[len(segments)-1].First, run.events, events)
	}
	return run, nil
}
