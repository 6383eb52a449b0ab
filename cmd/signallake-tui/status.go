package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

// damagedError is a proof that failed: its text says what was found.
type damagedError struct{ text string }

func (e *damagedError) Error() string { return e.text }

// damageOf are the words about a lake that does not prove.
func damageOf(report *lake.VerifyReport) error {
	var b strings.Builder
	fmt.Fprintf(&b, "the lake does not prove: %d events lost, %d doubled, %d problems", report.Lost, report.Doubled, len(report.Problems))
	for _, p := range report.Problems {
		fmt.Fprintf(&b, "\n  %s: %s: %s", cmp.Or(p.File, "lake"), p.Problem, p.Advice)
	}
	return &damagedError{b.String()}
}

// statusJSON is the machine's form of lake.Status; its keys are an API.
type statusJSON struct {
	Data      string `json:"data"`
	Version   uint64 `json:"version"`
	Watermark int64  `json:"watermark"`
	NextSeq   int64  `json:"next_seq"`
	Events    struct {
		Raw     int64 `json:"raw"`
		Parquet int64 `json:"parquet"`
		Hot     int64 `json:"hot"`
		Visible int64 `json:"visible"`
	} `json:"events"`
	Files struct {
		Raw     int `json:"raw"`
		Parquet int `json:"parquet"`
	} `json:"files"`
	Bytes struct {
		Raw     int64 `json:"raw"`
		Hot     int64 `json:"hot"`
		Parquet int64 `json:"parquet"`
	} `json:"bytes"`
	Owner          *lake.Owner `json:"owner,omitempty"` // the process that writes
	FirstTimestamp string      `json:"first_timestamp,omitempty"`
	LastTimestamp  string      `json:"last_timestamp,omitempty"`

	Backlog backlogJSON `json:"backlog"`
	Dead    *deadJSON   `json:"dead,omitempty"` // when there are or were dead letters
}

// deadJSON is the machine's form of lake.DeadStatus.
type deadJSON struct {
	Letters int64 `json:"letters"`
	Bytes   int64 `json:"bytes"`
	Dropped int64 `json:"dropped"`
	Damaged int64 `json:"damaged"`
}

func statusOf(dir string, s lake.Status) statusJSON {
	out := statusJSON{Data: dir, Version: s.Version, Watermark: int64(s.Watermark), NextSeq: int64(s.NextSeq)}
	out.Events.Raw, out.Events.Parquet, out.Events.Hot, out.Events.Visible = s.RawEvents, s.ParquetEvents, s.HotEvents, s.Visible
	out.Files.Raw, out.Files.Parquet = s.RawSegments, s.ParquetFiles
	out.Bytes.Raw, out.Bytes.Hot, out.Bytes.Parquet = s.RawBytes, s.HotBytes, s.ParquetBytes
	if d := s.Dead; d.Kept+d.Dropped+d.Damaged > 0 {
		out.Dead = &deadJSON{d.Kept, d.Bytes, d.Dropped, d.Damaged}
	}
	if s.ParquetEvents > 0 {
		out.FirstTimestamp, out.LastTimestamp = s.FirstTimestamp.Time().Format(time.RFC3339Nano), s.LastTimestamp.Time().Format(time.RFC3339Nano)
	}
	return out
}

// runStatus tells what the lake holds.
func runStatus(ctx context.Context, w *world, args []string) error {
	flags, dir := newFlags(w, "status")
	asJSON := flags.Bool("json", false, "as one JSON object")
	if _, err := parseFlags(flags, args, 0); err != nil {
		return err
	}
	l, err := lake.Open(ctx, lake.Config{Dir: *dir, ReadOnly: true})
	if err != nil {
		return err
	}
	defer l.Close()
	if _, err := os.Stat(*dir); errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(w.stderr, "%s does not exist yet: an empty lake\n", *dir)
	}
	books := l.Status()
	books.Dead = l.DeadStatus() // of a lake that was opened a moment ago Status has not counted them yet
	s := statusOf(*dir, books)
	owner, owned, err := l.CurrentOwner()
	if err != nil {
		return err
	}
	if owned {
		s.Owner = &owner
	}
	s.Backlog = backlogOf(ctx, s.Owner, books, w.now())
	if *asJSON {
		return writeJSON(w.stdout, s)
	}
	fmt.Fprintf(w.stdout, "lake      %s, version %d\n", *dir, s.Version)
	fmt.Fprintf(w.stdout, "events    %d visible: %d in Parquet, %d hot (of %d raw)\n", s.Events.Visible, s.Events.Parquet, s.Events.Hot, s.Events.Raw)
	fmt.Fprintf(w.stdout, "files     %d Parquet, %d raw segments\n", s.Files.Parquet, s.Files.Raw)
	fmt.Fprintf(w.stdout, "bytes     %d Parquet, %d raw (%d of them hot)\n", s.Bytes.Parquet, s.Bytes.Raw, s.Bytes.Hot)
	if s.FirstTimestamp != "" {
		fmt.Fprintf(w.stdout, "Parquet   %s to %s\n", s.FirstTimestamp, s.LastTimestamp)
	}
	if s.Owner != nil {
		fmt.Fprintf(w.stdout, "owner     %s\n", ownerWords(*s.Owner))
	}
	if d := s.Dead; d != nil {
		fmt.Fprintf(w.stdout, "dead      %s; `signallake-tui dead` tells why\n", deadText(lake.DeadStatus{Kept: d.Letters, Bytes: d.Bytes, Dropped: d.Dropped, Damaged: d.Damaged}))
	}
	return s.Backlog.write(w.stdout)
}

// ownerWords tells who owns the lake and how its API is asked.
func ownerWords(o lake.Owner) string {
	words := fmt.Sprintf("%s, process %d, since %s", o.Command, o.PID, o.Since.UTC().Format(time.RFC3339))
	if o.Address == "" {
		return words
	}
	if o.Token {
		return words + ": " + o.Address + ", with the header Authorization: Bearer TOKEN"
	}
	return words + ": " + o.Address
}

// runVerify proves the lake.
func runVerify(ctx context.Context, w *world, args []string) error {
	flags, dir := newFlags(w, "verify")
	asJSON := flags.Bool("json", false, "the report as one JSON object")
	quarantine := flags.Bool("quarantine", false, "take damaged Parquet files out of the lake, so that statements over the others work again; they are kept under quarantine/")
	if _, err := parseFlags(flags, args, 0); err != nil {
		return err
	}
	open := func() (*lake.Lake, error) { return lake.Open(ctx, lake.Config{Dir: *dir, ReadOnly: true}) }
	if *quarantine {
		open = func() (*lake.Lake, error) { return openLake(ctx, w, *dir, "verify") }
	}
	l, err := open()
	if err != nil {
		return err
	}
	defer l.Close()
	progress := &lake.Progress{}
	stop := showProgress(w.stderr, progress)
	report, err := l.Verify(ctx, progress)
	stop()
	if err != nil {
		return err
	}
	if *asJSON {
		if err := writeJSON(w.stdout, report); err != nil {
			return err
		}
	}
	if *quarantine {
		if err := takeOut(ctx, w, l, report); err != nil {
			return err
		}
	}
	if !report.OK {
		return damageOf(&report)
	}
	if !*asJSON {
		fmt.Fprintf(w.stdout, "%d events, each visible exactly once; %d files, %d bytes checked\n", report.Events.Visible, report.FilesChecked, report.BytesChecked)
	}
	return nil
}

// takeOut quarantines the Parquet files that the report calls damaged.
func takeOut(ctx context.Context, w *world, l *lake.Lake, report lake.VerifyReport) error {
	damaged := map[string]bool{}
	for _, p := range report.Problems {
		damaged[p.File] = true
	}
	version := l.Current()
	for i := range version.Files {
		f := version.Files[i]
		name, err := filepath.Rel(l.Layout().Root, l.Layout().Path(&f))
		if err != nil {
			return err
		}
		if !damaged[name] {
			continue
		}
		if _, err := l.Quarantine(ctx, f); err != nil {
			return err
		}
		fmt.Fprintf(w.stderr, "taken out: %s (%d events; raw/ still has them)\n", name, f.Rows)
	}
	return nil
}

// runFiles prints the live Parquet files as a table function that any DuckDB runs. It names no raw file: what is hot is not in it.
func runFiles(ctx context.Context, w *world, args []string) error {
	flags, dir := newFlags(w, "files")
	narrow := queryFlags{flags.String("from", "", "only files with events from this `time` on"), flags.String("to", "", "only files with events before this `time`"),
		flags.String("service", "", "only this `service`")}
	if _, err := parseFlags(flags, args, 0); err != nil {
		return err
	}
	params, err := narrow.params(w.now())
	if err != nil {
		return err
	}
	l, err := lake.Open(ctx, lake.Config{Dir: *dir, ReadOnly: true})
	if err != nil {
		return err
	}
	defer l.Close()
	var quoted []string
	version := l.Current()
	for i := range version.Files {
		f := &version.Files[i]
		if (params.Service == "" || f.Partition.Service == params.Service) && (params.From == 0 || f.MaxTS >= params.From) && (params.To == 0 || f.MinTS < params.To) {
			quoted = append(quoted, sql.Literal(l.Layout().Path(f)))
		}
	}
	if len(quoted) == 0 {
		fmt.Fprintln(w.stderr, "no Parquet file: `signallake-tui convert` makes them from raw")
		return nil
	}
	fmt.Fprintf(w.stdout, "read_parquet([\n  %s\n], hive_partitioning = true, hive_types = {'event_date': DATE, 'service_name': VARCHAR, 'status_code': INTEGER})\n", strings.Join(quoted, ",\n  "))
	return nil
}
