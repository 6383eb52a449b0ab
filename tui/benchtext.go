package tui

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signallake/signallake/sql/bench"
	"github.com/signallake/signallake/tui/cell"
)

// rungNames are the rungs' names where a title is too long.
var rungNames = map[string]string{bench.Unpartitioned: "one file", bench.Glob: "tree by pattern", bench.Catalog: "tree by catalog", bench.Engine: "SQL, our engine"}

// stamp is a report's date.
func stamp(at time.Time) string { return at.UTC().Format("2006-01-02 15:04Z") }

// benchTitle is what a report is about, in a few words.
func benchTitle(r *bench.Report) string {
	kind := "this lake"
	if r.Data.Scratch {
		kind = "scratch"
	}
	text := bench.Brief(r.Data.Events) + " events, " + kind
	one, list := r.Find(bench.Unpartitioned, false), r.Find(bench.Catalog, false)
	if one != nil && list != nil && one.Median > 0 {
		text += fmt.Sprintf(", catalog %.2fx", float64(list.Median)/float64(one.Median))
	}
	return text
}

// benchSummary says in a line what a run found.
func benchSummary(r *bench.Report) string {
	if r == nil {
		return "no report"
	}
	var parts []string
	for _, rung := range r.Rungs {
		if !rung.Cold {
			parts = append(parts, rungName(&rung)+" "+lap(rung.Median))
		}
	}
	return "medians: " + strings.Join(parts, ", ")
}

func rungName(r *bench.Rung) string {
	if name, ok := rungNames[r.Name]; ok {
		return name
	}
	return r.Title
}

// lap writes a measured time with three digits: 0.41ms, 3.10ms, 13.1ms, 131ms, 1.31s.
func lap(d time.Duration) string {
	switch v := float64(d) / float64(time.Millisecond); {
	case v < 9.995:
		return strconv.FormatFloat(v, 'f', 2, 64) + "ms"
	case v < 99.95:
		return strconv.FormatFloat(v, 'f', 1, 64) + "ms"
	default:
		return ms(v)
	}
}

// laps writes two times, their unit once where it is the same.
func laps(best, worst time.Duration) string {
	a, b := lap(best), lap(worst)
	if strings.HasSuffix(a, "ms") && strings.HasSuffix(b, "ms") {
		a = strings.TrimSuffix(a, "ms")
	}
	return a + "–" + b
}

// files writes how many files of a layout one question reads, in the mean over all of them.
func files(r *bench.Rung) string {
	return strings.TrimSuffix(strconv.FormatFloat(r.Files, 'f', 1, 64), ".0") + "/" + count(int64(r.FilesTotal))
}

// changeWords is a change in a few columns: ▲ +7%, ▼ -12%, ~ where chance may have made it.
func changeWords(c bench.Change) (string, cell.Style) {
	text := strings.Replace(c.Brief(), " %", "%", 1)
	switch {
	case c.Worse():
		return text, cell.Bad
	case c.Better():
		return text, cell.Good
	}
	return text, cell.Muted
}

// dataWords is what was asked about.
func dataWords(r *bench.Report) string {
	d := r.Data
	where := "in this lake"
	if d.Scratch {
		where = fmt.Sprintf("in a scratch lake, seed %d", d.Seed)
	}
	return fmt.Sprintf("%s events of %s over %s %s · %s %s, one file %s · %s of service and day, %s", count(d.Events), counted(int64(d.Services), "service"),
		counted(int64(d.Days), "day"), where, counted(int64(d.Files), "file"), size(d.Bytes), size(d.TwinBytes), counted(int64(d.Pairs), "pair"), counted(int64(r.Runs), "round"))
}

// machineWords is what it ran on.
func machineWords(m *bench.Machine) string {
	parts := []string{m.CPU, counted(int64(m.Cores), "core"), size(m.Memory), m.OS, m.Engine, m.Go}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " · ")
}
