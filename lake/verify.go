package lake

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
)

// VerifyReport is what Verify found.
type VerifyReport struct {
	OK           bool            `json:"ok"`
	Version      uint64          `json:"version"`
	Events       VerifyEvents    `json:"events"`
	FilesChecked int             `json:"files_checked"`
	BytesChecked int64           `json:"bytes_checked"`
	Lost         int64           `json:"lost"`    // accepted events that nothing shows and the ledger does not explain
	Doubled      int64           `json:"doubled"` // events that are shown more than once
	Problems     []VerifyProblem `json:"problems"`
	Foreign      []string        `json:"foreign,omitempty"` // files that are not the lake's; no problem
}

// VerifyEvents are counted, not taken from the books.
type VerifyEvents struct {
	Raw     int64 `json:"raw"`
	Parquet int64 `json:"parquet"`
	Hot     int64 `json:"hot"`
	Visible int64 `json:"visible"`
	Deleted int64 `json:"deleted"`
	Expired int64 `json:"expired"`
}

// VerifyProblem is one finding.
type VerifyProblem struct {
	File    string `json:"file,omitempty"` // relative to the data folder; "" when it is no single file
	Problem string `json:"problem"`
	Advice  string `json:"advice"`
}

// maxProblems bounds a report: the first hundred say what is wrong with a lake of which every file is.
const maxProblems = 100

// verifyWindow is how many seqs are proved at a time: 32 MiB of bitmap, and one pass over the `seq` columns for each 268M events.
const verifyWindow Seq = 1 << 28

const (
	adviceRestore    = "put back a copy from a backup"
	adviceQuarantine = "put back a copy from a backup, or take it out of the lake by `signallake-tui verify --quarantine`; raw/ still has its events unless they were retired"
	adviceRollup     = "convert again into a new lake from raw/: the panels that read it may be wrong, statements over events are right"
	adviceReport     = "keep the data folder as it is and report this: the lake broke its promise"
)

// verification is one run of Verify.
type verification struct {
	lake      *Lake
	ctx       context.Context
	progress  *Progress
	version   *Version
	watermark Seq
	window    Seq       // verifyWindow
	accepted  seqRanges // by the raw log

	mu      sync.Mutex // of what follows, and of report
	report  VerifyReport
	skipped int                 // problems beyond maxProblems
	bad     map[*FileEntry]bool // whose bytes are wrong: not read any further, and what they hold is missing
	hidden  int64               // accepted, above the watermark, not readable in raw
	missing int64               // accepted, below the watermark, in no Parquet file
	lost    seqRanges           // the first of them
	strange int64               // in Parquet, never accepted
	twice   int64               // in Parquet more than once, or in Parquet and in raw
}

// Verify proves the newest version: every byte of it against its checksums, and seq by seq that every accepted event is visible exactly
// once. It changes nothing and may run while events come in. The error is for what kept it from looking (ctx, a closed lake); findings are
// in the report.
func (l *Lake) Verify(ctx context.Context, p *Progress) (VerifyReport, error) {
	if l.isClosed() {
		return VerifyReport{}, ErrClosed
	}
	pin := l.Pin()
	defer pin.Release()
	v := newVerification(ctx, l, pin.Version, p)
	err := v.run()
	return v.report, err
}

func newVerification(ctx context.Context, l *Lake, version *Version, p *Progress) *verification {
	v := &verification{lake: l, ctx: ctx, progress: p, version: version, watermark: version.Watermark, window: verifyWindow, bad: map[*FileEntry]bool{}}
	v.report = VerifyReport{Version: version.Number, Problems: []VerifyProblem{}, Foreign: l.Foreign()}
	return v
}

func (v *verification) run() error {
	for _, step := range []func() error{v.catalog, v.raw, v.parquet, v.rollups} {
		if err := step(); err != nil {
			return fmt.Errorf("verify: %w", err)
		}
	}
	v.conclude()
	return nil
}

func (v *verification) problem(path, advice, format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.report.Problems) == maxProblems {
		v.skipped++
		return
	}
	if path != "" {
		path = strings.TrimPrefix(path, v.lake.layout.Root+string(filepath.Separator))
	}
	v.report.Problems = append(v.report.Problems, VerifyProblem{File: path, Problem: fmt.Sprintf(format, args...), Advice: advice})
}

func (v *verification) checked(bytes int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.report.FilesChecked++
	v.report.BytesChecked += bytes
}

// catalog reads every object again.
func (v *verification) catalog() error {
	list, err := v.lake.cat.list()
	if err != nil {
		return err
	}
	read := func(path, kind string, n uint64) {
		o, err := v.lake.cat.readObject(path, kind, n)
		if err == nil {
			v.checked(o.bytes)
		} else if !isNotExist(err) { // history that was dropped meanwhile
			v.problem(path, adviceRestore, "%v", err)
		}
	}
	for _, n := range list.checkpoints {
		read(v.lake.cat.checkpointPath(n), kindCheckpoint, n)
	}
	for _, n := range list.versions {
		read(v.lake.cat.versionPath(n), kindVersion, n)
	}
	return nil
}

// raw reads every segment's batches against their checksums, and gathers what was accepted.
func (v *verification) raw() error {
	segments := v.lake.raw.segments()
	var total int64
	for i := range segments {
		total += segments[i].Events
	}
	v.progress.Start("verify raw", total)
	for i := range segments {
		if err := v.ctx.Err(); err != nil {
			return err
		}
		v.segment(segments[i])
	}
	for _, found := range v.lake.raw.quarantined() {
		v.problem("", adviceRestore, "%s", found)
	}
	return nil
}

func (v *verification) segment(s Segment) {
	path := v.lake.layout.SegmentData(s.First)
	if s.First < v.watermark && v.watermark < s.End {
		v.problem(path, adviceReport, "the watermark %d lies inside the segment", v.watermark)
	}
	v.accepted = v.accepted.add(s.First, s.End) // what it acknowledged, readable or not
	var events int64
	err := v.lake.raw.readSegment(s, func(lines []byte, first Seq, n int) error {
		if got := bytes.Count(lines, []byte{'\n'}); got != n || lines[len(lines)-1] != '\n' {
			return fmt.Errorf("the batches at seq %d hold %d lines, their index says %d", first, got, n)
		}
		events += int64(n)
		v.progress.Add(int64(n))
		return v.ctx.Err()
	})
	if v.ctx.Err() != nil {
		return
	}
	unreadable := int64(s.End-s.First) - events
	switch {
	case err != nil:
		v.problem(path, adviceRestore, "%v", err)
	case unreadable != 0:
		v.problem(path, adviceRestore, "%d of its %d events cannot be read", unreadable, s.End-s.First)
	}
	v.checked(s.Bytes)
	v.report.Events.Raw += events
	if s.First >= v.watermark {
		v.report.Events.Hot += events
		v.hidden += unreadable
	}
}

// conclude compares the sums with the ledger.
func (v *verification) conclude() {
	r, ledger := &v.report, v.version.Ledger
	r.Events.Deleted, r.Events.Expired = ledger.Deleted, ledger.Expired
	r.Events.Visible = r.Events.Parquet + r.Events.Hot
	explained := ledger.Deleted + ledger.Expired + ledger.Quarantined
	r.Lost = v.hidden
	if v.missing > explained {
		r.Lost += v.missing - explained
		v.problem("", "see the problems of single files; raw/ has these events", "%d accepted events are in no Parquet file, the ledger explains %d: seq %s",
			v.missing, explained, v.lost)
	}
	r.Doubled = v.twice
	if v.twice > 0 {
		v.problem("", adviceReport, "%d events are visible more than once", v.twice)
	}
	if v.strange > 0 {
		v.problem("", adviceReport, "%d events in Parquet were never accepted by raw/", v.strange)
	}
	var rows int64
	for i := range v.version.Files {
		rows += v.version.Files[i].Rows
	}
	if rows+explained != ledger.Converted {
		v.problem("", adviceReport, "the ledger has %d converted events, its files hold %d and %d are gone", ledger.Converted, rows, explained)
	}
	if v.skipped > 0 {
		r.Problems = append(r.Problems, VerifyProblem{Problem: fmt.Sprintf("%d more problems", v.skipped), Advice: "mend these first and verify again"})
	}
	r.OK = len(r.Problems) == 0
}
