package torture

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/signallake/signallake/lake"
)

// minutesSQL counts the minutes and services whose cell does not say how many events they have.
const minutesSQL = `SELECT count(*) FROM
  (SELECT date_trunc('minute', timestamp) AS minute, service_name, count(*) AS events FROM events GROUP BY ALL) AS e
  FULL JOIN (SELECT minute, service_name, CAST(sum(count) AS BIGINT) AS cells FROM minutes GROUP BY ALL) AS m USING (minute, service_name)
WHERE events IS DISTINCT FROM cells`

// prove holds the lake against the books: first as the last kill has left it, then converted. A place that cannot be read is a finding, too; the error is
// ctx's.
func (r *run) prove(ctx context.Context) error {
	for i, k := range r.books.of {
		sent, acked := k.stand()
		r.report.Acked += acked
		if sent == 0 && i < len(r.books.of) {
			r.report.problem("%s sent nothing", k.name)
		}
	}
	steps := []struct {
		what string
		run  func(context.Context) error
	}{
		{"ask SQL", func(ctx context.Context) error { return r.proveSQL(ctx, "SQL, as the last kill left it") }},
		{"convert", func(ctx context.Context) error { return r.tool(ctx, "convert") }},
		{"ask SQL again", func(ctx context.Context) error { return r.proveSQL(ctx, "SQL") }},
		{"read the raw lines", r.proveRaw},
		{"read the Parquet files", r.proveParquet},
		{"read the dead letters", r.proveDead},
		{"verify", func(ctx context.Context) error { return r.tool(ctx, "verify") }},
	}
	r.cfg.Progress.Start("torture: steps of the proof", int64(len(steps)))
	for _, step := range steps {
		if err := step.run(ctx); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.report.problem("%s: %v", step.what, err)
		}
		r.cfg.Progress.Add(1)
	}
	return nil
}

// proveSQL asks the program's own engine.
func (r *run) proveSQL(ctx context.Context, name string) (err error) {
	reader, err := r.cfg.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	rows, err := reader.Ask(ctx, fmt.Sprintf(blocksSQL, "events"))
	if err != nil {
		return err
	}
	if err := r.find(name, rows); err != nil {
		return err
	}
	rows, err = reader.Ask(ctx, minutesSQL)
	if err != nil {
		return err
	}
	if wrong, ok := rows[0][0].(int64); !ok || wrong != 0 {
		r.report.problem("%s: %v minutes do not add up to their events", name, rows[0][0])
	}
	return nil
}

// find judges a source's rows and keeps the finding.
func (r *run) find(source string, rows [][]any) error {
	f, err := r.books.judge(source, rows)
	if err != nil {
		return err
	}
	r.report.Findings = append(r.report.Findings, *f)
	r.report.Events = f.Events
	return nil
}

// proveRaw reads the raw lines as anybody can. Lines that are damaged count as lost.
func (r *run) proveRaw(ctx context.Context) error {
	from := fmt.Sprintf("read_json(%s, format = 'newline_delimited', ignore_errors = true, columns = {service_name: 'VARCHAR', latency_ms: 'DOUBLE', status_code: 'INTEGER', timestamp: 'TIMESTAMP', "+
		"request_id: 'VARCHAR'})", quote(filepath.Join(lake.Layout{Root: r.cfg.Dir}.Raw(), "*.jsonl")))
	rows, err := r.cfg.Outside(ctx, fmt.Sprintf(blocksSQL, from))
	if err != nil {
		return err
	}
	return r.find("raw", rows)
}

// proveParquet reads the files of the newest version as anybody can.
func (r *run) proveParquet(ctx context.Context) error {
	l, err := lake.Open(ctx, lake.Config{Dir: r.cfg.Dir, ReadOnly: true})
	if err != nil {
		return err
	}
	defer l.Close()
	version := l.Current()
	if len(version.Files) == 0 {
		r.report.problem("Parquet: there is no file")
		return nil
	}
	var names []string
	for i := range version.Files {
		names = append(names, quote(l.Layout().Path(&version.Files[i])))
	}
	from := "read_parquet([" + strings.Join(names, ",") + "], hive_partitioning = true, hive_types = {'event_date': DATE, 'service_name': VARCHAR, 'status_code': INTEGER})"
	rows, err := r.cfg.Outside(ctx, fmt.Sprintf(blocksSQL, from))
	if err != nil {
		return err
	}
	if err := r.find("Parquet", rows); err != nil {
		return err
	}
	rows, err = r.cfg.Outside(ctx, "SELECT count_if(event_date <> CAST(timestamp AS DATE)), count(DISTINCT event_date) FROM "+from)
	if err != nil {
		return err
	}
	if wrong, ok := rows[0][0].(int64); !ok || wrong != 0 {
		r.report.problem("Parquet: %v events lie in the partition of another day", rows[0][0])
	}
	r.report.Days, _ = rows[0][1].(int64)
	return nil
}

// quote is a text as SQL writes it.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// Letters is what the dead letters are, held against the books.
type Letters struct {
	Kept    int64    `json:"kept"`
	Acked   int64    `json:"acked"`   // lines that were answered as rejected, each of them kept
	Lost    int64    `json:"lost"`    // answered as rejected, and not kept
	Doubled int64    `json:"doubled"` // kept again although their request was sent once
	Again   int64    `json:"again"`   // kept again when their request was sent again
	Strange int64    `json:"strange"` // that nobody sent
	Example []string `json:"examples,omitempty"`
}

// proveDead looks for the rejected lines.
func (r *run) proveDead(ctx context.Context) error {
	l, err := lake.Open(ctx, lake.Config{Dir: r.cfg.Dir, ReadOnly: true})
	if err != nil {
		return err
	}
	defer l.Close()
	kept := map[string]int64{}
	err = l.DeadLetters(0, func(letter *lake.DeadLetter) error {
		parts := strings.Split(string(letter.Text), `"bad":"`)
		if len(parts) == 1 {
			kept[lake.SafeText(parts[0], maxName)]++
		}
		for _, part := range parts[1:] { // several where lines share a letter
			mark, _, _ := strings.Cut(part, `"`)
			kept[mark]++
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.report.Letters = r.books.judgeLetters(kept)
	return nil
}

// judgeLetters holds what is kept, by the lines' marks, against the books.
func (b *books) judgeLetters(kept map[string]int64) Letters {
	var l Letters
	example := func(format string, args ...any) {
		if len(l.Example) < maxExamples {
			l.Example = append(l.Example, fmt.Sprintf(format, args...))
		}
	}
	for _, k := range b.of {
		for n, line := range k.bad {
			mark := k.badMark(int64(n))
			copies := kept[mark]
			delete(kept, mark)
			l.Kept += copies
			switch {
			case copies == 0 && line.acked:
				l.Lost++
				example("lost: %s", mark)
			case copies > 1 && line.retried:
				l.Again += copies - 1
			case copies > 1:
				l.Doubled += copies - 1
				example("%d times: %s", copies, mark)
			}
			if copies > 0 && line.acked {
				l.Acked++
			}
		}
	}
	for mark, copies := range kept {
		l.Kept += copies
		l.Strange += copies
		example("nobody sent %s", mark)
	}
	return l
}

// tool runs a command of the program on the scratch lake. That it fails is a finding.
func (r *run) tool(ctx context.Context, name string) error {
	output, err := exec.CommandContext(ctx, r.cfg.Program, name, "--data", r.cfg.Dir).CombinedOutput()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		r.report.problem("%s: %v: %.2000s", name, err, strings.TrimSpace(string(output)))
	}
	return nil
}
