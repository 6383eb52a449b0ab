package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/signallake/signallake/ingest/importer"
	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/tui"
)

// importWords says what became of each path.
func importWords(results []*importer.Result, p tui.ImportParams) []string {
	var lines []string
	var all, rejected int64
	for _, r := range results {
		lines = append(lines, inputWords(r, p)...)
		all, rejected = all+r.Lines, rejected+r.Rejected
	}
	if len(results) > 1 {
		lines = append(lines, fmt.Sprintf("%d inputs: %s = %s accepted + %s rejected", len(results), countOf(all, "line"), lake.Thousands(all-rejected), lake.Thousands(rejected)))
	}
	if rejected > 0 {
		lines = append(lines, "rejected lines are kept, each with its reason: `signallake-tui dead` lists them")
	}
	return lines
}

// manyHot is how much unconverted raw the next console takes noticeably long to load.
const manyHot = 256 << 20

// nextWords says what to do with what was imported.
func nextWords(hot int64, data string) string {
	if hot > manyHot {
		return fmt.Sprintf("next: `signallake-tui convert%s` makes Parquet of it, `signallake-tui%s` opens the console, which does so too", data, data)
	}
	return fmt.Sprintf("next: `signallake-tui%s` opens the console on it", data)
}

// inputWords says what became of one path. The reason why a single one failed is the command's error and not repeated here.
func inputWords(r *importer.Result, p tui.ImportParams) []string {
	switch r.State {
	case importer.Already:
		return []string{fmt.Sprintf("%s: already imported on %s: %s; --again imports it again", r.Name, r.Since.Time().Format(time.DateOnly), countOf(r.Total(), "line"))}
	case importer.Empty:
		return []string{r.Name + ": it is empty: nothing to import; --follow waits for lines"}
	case importer.Failed:
		var lines []string
		if len(p.Paths) > 1 {
			lines = append(lines, fmt.Sprintf("%s: %v", r.Name, r.Err))
		}
		if r.Lines > 0 {
			lines = append(lines, fmt.Sprintf("%s: imported before that: %s", r.Name, countWords(r)))
		}
		return lines
	}
	text := r.Name + ": "
	if r.Format.Title != "" {
		text += r.Format.Title + ": "
	}
	text += countWords(r)
	if r.Accepted > 0 {
		text += "; " + spanWords(r.First, r.Last) + "; " + serviceWords(r)
	}
	if seconds := r.Elapsed.Seconds(); !p.Follow && seconds > 0 && r.Lines > 0 {
		text += fmt.Sprintf("; %s (%s lines/s, %.1f MB/s)", r.Elapsed.Round(time.Millisecond), lake.Thousands(int64(float64(r.Lines)/seconds)), float64(r.Bytes)/1e6/seconds)
	}
	lines := []string{text}
	if how := strings.Join(append(append([]string{}, r.Format.Fields...), r.Format.Missing...), "; "); how != "" {
		lines = append(lines, "  "+how)
	}
	if r.Unfinished && !p.Follow && r.Path != "-" {
		lines = append(lines, "  the last line has no line end: should somebody still be writing it, what comes behind counts as a line of its own; --follow waits for the whole")
	}
	if r.State == importer.Stopped && !p.Follow {
		lines = append(lines, "  "+stoppedWords(r, p))
	}
	return lines
}

// countWords is the sum that every line is part of.
func countWords(r *importer.Result) string {
	text := countOf(r.Lines, "line")
	if r.Before > 0 {
		text = fmt.Sprintf("%s from line %s on", countOf(r.Lines, "new line"), lake.Thousands(r.FromLine))
	}
	text += fmt.Sprintf(" = %s accepted + %s rejected", lake.Thousands(r.Accepted), lake.Thousands(r.Rejected))
	if r.Before > 0 {
		text += fmt.Sprintf(", %s in all", lake.Thousands(r.Total()))
	}
	if r.Blank > 0 {
		text += fmt.Sprintf(", beside %s", countOf(r.Blank, "blank one"))
	}
	if r.Doubled > 0 {
		text += fmt.Sprintf(", %s stood twice: the last value counts", countOf(r.Doubled, "key"))
	}
	return text
}

func stoppedWords(r *importer.Result, p tui.ImportParams) string {
	if r.Path == "-" {
		return "stopped: what came later through the pipe was not read; piped in once more, everything is imported once more"
	}
	how := "importing it again"
	if p.Again {
		how = "importing it without --again"
	}
	return fmt.Sprintf("stopped after line %s: %s goes on there", lake.Thousands(r.FromLine-1+r.Lines+r.Blank), how)
}

// spanWords is the time that events span.
func spanWords(first, last lake.Micros) string {
	a, b := first.Time().Format("2006-01-02 15:04:05"), last.Time().Format("2006-01-02 15:04:05")
	if a[:10] == b[:10] {
		b = b[11:]
	}
	return a + " to " + b + " UTC"
}

// serviceWords names the services with the most events.
func serviceWords(r *importer.Result) string {
	const most = 5
	var names []string
	for _, s := range r.Services[:min(len(r.Services), most)] {
		names = append(names, s.Name)
	}
	switch more := len(r.Services) - len(names); {
	case r.Unnamed > 0:
		return fmt.Sprintf("services %s and more than %d others", strings.Join(names, ", "), more)
	case more > 0:
		return fmt.Sprintf("services %s and %d others", strings.Join(names, ", "), more)
	case len(names) == 1:
		return "service " + names[0]
	}
	return "services " + joinWords(names)
}

// countOf is a number of things: 1 line, 2,000 lines.
func countOf(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return lake.Thousands(n) + " " + thing + "s"
}

// importJSON is an import's result for programs.
type importJSON struct {
	Inputs   []inputJSON `json:"inputs"`
	Lines    int64       `json:"lines"` // Accepted + Rejected
	Accepted int64       `json:"accepted"`
	Rejected int64       `json:"rejected"`
}

type inputJSON struct {
	Path      string             `json:"path"`
	State     importer.State     `json:"state"`
	Error     string             `json:"error,omitempty"`
	Format    string             `json:"format,omitempty"`
	Title     string             `json:"format_title,omitempty"`
	Fields    []string           `json:"fields,omitempty"`
	Missing   []string           `json:"missing,omitempty"`
	Lines     int64              `json:"lines"`
	Accepted  int64              `json:"accepted"`
	Rejected  int64              `json:"rejected"`
	Blank     int64              `json:"blank"`
	Bytes     int64              `json:"bytes"`
	First     string             `json:"first_timestamp,omitempty"`
	Last      string             `json:"last_timestamp,omitempty"`
	Services  []importer.Service `json:"services,omitempty"`
	FromLine  int64              `json:"from_line"`
	Before    int64              `json:"lines_before"`
	ElapsedMS int64              `json:"elapsed_ms"`
}

func importReport(results []*importer.Result) importJSON {
	report := importJSON{Inputs: []inputJSON{}}
	for _, r := range results {
		in := inputJSON{
			Path: r.Path, State: r.State, Format: string(r.Format.Kind), Title: r.Format.Title, Fields: r.Format.Fields, Missing: r.Format.Missing,
			Lines: r.Lines, Accepted: r.Accepted, Rejected: r.Rejected, Blank: r.Blank, Bytes: r.Bytes, Services: r.Services,
			FromLine: r.FromLine, Before: r.Before, ElapsedMS: r.Elapsed.Milliseconds(),
		}
		if r.State != importer.Stopped && r.Err != nil {
			in.Error = r.Err.Error()
		}
		if r.Accepted > 0 {
			in.First, in.Last = r.First.Time().Format(time.RFC3339Nano), r.Last.Time().Format(time.RFC3339Nano)
		}
		report.Inputs = append(report.Inputs, in)
		report.Lines, report.Accepted, report.Rejected = report.Lines+r.Lines, report.Accepted+r.Accepted, report.Rejected+r.Rejected
	}
	return report
}
