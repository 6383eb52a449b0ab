package tui

import (
	"context"
	"strings"
	"testing"

	"github.com/signallake/signallake/sql"
)

// plan is a drawing wider and higher than a small window.
func plan() string {
	var b strings.Builder
	for i := range 40 {
		b.WriteString("│ " + strings.Repeat("=", 100) + strings.Repeat(string(rune('a'+i%26)), 3) + " │\n")
	}
	return b.String()
}

func TestPlanIsReadAsText(t *testing.T) {
	f := newFake()
	f.answer = func(context.Context, sql.Query) (*sql.Result, error) {
		return &sql.Result{Columns: []sql.ResultColumn{{Name: "explain_key", Type: "VARCHAR"}, {Name: "explain_value", Type: "VARCHAR"}}, Rows: [][]any{{"physical_plan", plan()}}}, nil
	}
	d := drive(t, f, 80, 24)
	d.press("3", "text:EXPLAIN SELECT 1", "f5", "esc")
	d.wants("│ =====", "lines 1–", "of 40", "more →")
	d.lacks("explain_value", "physical_plan")
	d.press("end")
	d.wants("aaa │", "bbb │", "← more")
	d.press("G")
	d.wants("nnn │", "of 40")
	d.press("enter", "o") // there is no row to enter or to order
	d.wants("nnn │")
	d.press("y")
	d.wants("the text", "the statement")
	d.press("esc", "g", "home")
	d.wants("lines 1–")
	items := d.app.sql.copies()
	if want := strings.TrimRight(plan(), "\n"); items[0].text != want {
		t.Errorf("the copied plan is %q", items[0].text)
	}
}

func TestTablesStayTables(t *testing.T) {
	table := func(want bool, columns []string, rows ...[]any) {
		t.Helper()
		r := &sql.Result{Rows: rows}
		for _, name := range columns {
			r.Columns = append(r.Columns, sql.ResultColumn{Name: name, Type: "VARCHAR"})
		}
		if got := newResult("", r).pager == nil; got != want {
			t.Errorf("%v with %d rows is a table: %v, want %v", columns, len(rows), got, want)
		}
	}
	table(true, []string{"message"}, []any{"one line"})
	table(true, []string{"message"}, []any{"one line\n"})
	table(true, []string{"message"}, []any{"a\nb"}, []any{"c"})
	table(true, []string{"message", "n"}, []any{"a\nb", int64(1)})
	table(true, []string{"message"})
	table(true, []string{"message"}, []any{nil})
	table(false, []string{"message"}, []any{"a\nb"})
	table(false, []string{"explain_key", "explain_value"}, []any{"logical_plan", "a"}, []any{"physical_plan", "b"})
}

// TestStatsSayWhatWasRead wants bytes of files called read only where files were read: digests stand in for them, and may be in memory.
func TestStatsSayWhatWasRead(t *testing.T) {
	for _, c := range []struct {
		stats sql.Stats
		want  string
	}{
		{sql.Stats{Files: 3, FilesTotal: 9, Bytes: 2048}, "read 3/9 files 2.0 KB"},
		{sql.Stats{Files: 3, FilesTotal: 9, Bytes: 2048, Digests: 3, DigestBytes: 1024}, "read digests of 1.0 KB for 3/9 files 2.0 KB"},
		{sql.Stats{Files: 3, FilesTotal: 9, Bytes: 2048, Digests: 3}, "digests in memory for 3/9 files 2.0 KB"},
		{sql.Stats{Files: 3, FilesTotal: 9, Bytes: 2048, Digests: 2, DigestBytes: 1024}, "read 3/9 files 2.0 KB, 2 by digests of 1.0 KB,"},
		{sql.Stats{Files: 3, FilesTotal: 9, Bytes: 2048, Digests: 2}, "read 3/9 files 2.0 KB, 2 by digests in memory,"},
	} {
		if got := readWords(&c.stats); got != c.want {
			t.Errorf("%+v is %q, want %q", c.stats, got, c.want)
		}
	}
}
