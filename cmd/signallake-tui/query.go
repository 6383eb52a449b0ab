package main

import (
	"context"
	"fmt"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

// queryFlags are the flags that narrow a named question.
type queryFlags struct{ from, to, service *string }

func (q queryFlags) params(now time.Time) (sql.Params, error) {
	p := sql.Params{Service: *q.service}
	for _, f := range []struct {
		name, text string
		to         *lake.Micros
	}{{"--from", *q.from, &p.From}, {"--to", *q.to, &p.To}} {
		if f.text == "" {
			continue
		}
		at, err := lake.ParseInstant(f.text, now)
		if err != nil {
			return p, usagef("%s: %v", f.name, err)
		}
		*f.to = at
	}
	if p.From != 0 && p.To != 0 && p.From >= p.To {
		return p, usagef("--from %s is not before --to %s", *q.from, *q.to)
	}
	return p, nil
}

// runQuery answers a named question or any SQL. It changes nothing below the data folder but state/.
func runQuery(ctx context.Context, w *world, args []string) error {
	flags, dir := newFlags(w, "query")
	text := flags.String("sql", "", "any SELECT over `events` instead of a named question")
	format := flags.String("format", "table", "table, json (one object a line) or csv (with a header line)")
	limit := flags.Int("limit", 0, "at most this many `rows`; 0: as many as there are, up to a million")
	narrow := queryFlags{flags.String("from", "", "only events from this `time` on (RFC 3339, 2026-11-21, -3h, yesterday 14:00)"),
		flags.String("to", "", "only events before this `time`"), flags.String("service", "", "only this `service`")}
	names, err := parseFlags(flags, args, 1)
	if err != nil {
		return err
	}
	write, err := writerFor(*format, w.stdout)
	if err != nil {
		return err
	}
	statement, err := statementFor(names, *text, *limit, narrow, w.now())
	if err != nil {
		return err
	}
	s, err := openReader(ctx, w, *dir)
	if err != nil {
		return err
	}
	defer s.close()
	result, err := s.engine.Query(ctx, sql.Query{Text: statement, MaxRows: maxHeadlessRows(*limit)})
	if err != nil {
		return err
	}
	if err := write(w.stdout, result); err != nil {
		return err
	}
	return tellStats(w, result, *limit)
}

// maxRows is the most rows that a headless query prints when it was not told: what memory bears without a thought (results are materialised).
const maxRows = 1_000_000

func maxHeadlessRows(limit int) int {
	if limit > 0 {
		return limit
	}
	return maxRows
}

// statementFor is the text to run: exactly one of a question's name and --sql.
func statementFor(names []string, text string, limit int, narrow queryFlags, now time.Time) (string, error) {
	if (len(names) == 1) == (text != "") {
		return "", usagef("query: want one named question (%s) or --sql TEXT", joinWords(questionNames()))
	}
	params, err := narrow.params(now)
	if err != nil {
		return "", err
	}
	if text != "" {
		if params != (sql.Params{}) {
			return "", usagef("query: --from, --to and --service narrow named questions; put the conditions into --sql")
		}
		return text, nil
	}
	question, err := sql.ByName(names[0])
	if err != nil {
		return "", usagef("query: %v", err)
	}
	params.Limit = limit
	return question.Statement(params)
}

// tellStats says on standard error what the statement read, and never lets a cut result pass for a whole one.
func tellStats(w *world, r *sql.Result, limit int) error {
	digests := ""
	switch {
	case r.Stats.Digests > 0 && r.Stats.DigestBytes == 0:
		digests = fmt.Sprintf(" (%d files by digests in memory instead)", r.Stats.Digests)
	case r.Stats.Digests > 0:
		digests = fmt.Sprintf(" (%d files by digests of %d bytes instead)", r.Stats.Digests, r.Stats.DigestBytes)
	}
	fmt.Fprintf(w.stderr, "%d rows; read %d of %d files, %d bytes%s, %d hot rows; version %d; %.1f ms; Athena would charge $%.6f\n",
		len(r.Rows), r.Stats.Files, r.Stats.FilesTotal, r.Stats.Bytes, digests, r.Stats.HotRows, r.Stats.Version, float64(r.Stats.Elapsed.Microseconds())/1000, r.Stats.USD)
	if r.More && limit == 0 {
		return fmt.Errorf("there are more than %d rows: narrow the statement, or say with --limit how many you want", len(r.Rows))
	}
	return nil
}

// runEstimate says what a statement would read and cost.
func runEstimate(ctx context.Context, w *world, args []string) error {
	flags, dir := newFlags(w, "estimate")
	text := flags.String("sql", "", "the `statement`")
	asJSON := flags.Bool("json", false, "as one JSON object")
	if _, err := parseFlags(flags, args, 0); err != nil {
		return err
	}
	if *text == "" {
		return usagef("estimate: --sql TEXT is missing")
	}
	s, err := openReader(ctx, w, *dir)
	if err != nil {
		return err
	}
	defer s.close()
	e, err := s.engine.Estimate(ctx, *text)
	if err != nil {
		return err
	}
	if *asJSON {
		return writeJSON(w.stdout, map[string]any{"files": e.Files, "files_total": e.FilesTotal, "bytes": e.Bytes, "hot_rows": e.HotRows, "columns": e.Columns,
			"version": e.Version, "usd": e.USD, "why": e.Why})
	}
	fmt.Fprintf(w.stdout, "%d of %d files, %d bytes, %d hot rows; columns %s; Athena would charge $%.6f\n", e.Files, e.FilesTotal, e.Bytes, e.HotRows, joinWords(e.Columns), e.USD)
	if e.Why != "" {
		fmt.Fprintln(w.stdout, e.Why)
	}
	return nil
}
