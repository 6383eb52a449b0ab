package duck

import (
	"fmt"
	"testing"

	"github.com/signallake/signallake/lake"
)

// TestOwnFilesAreEqual reads every column of a lake's files by DuckDB's reader and by ours.
func TestOwnFilesAreEqual(t *testing.T) {
	l, e := openBoth(t, t.TempDir())
	generateInto(t, l, 30_000, 3)
	if _, err := l.Convert(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	v := e.hot.pin()
	defer v.release()
	all := allEntries(v.Version)
	var names []string
	for _, c := range lake.Columns() {
		names = append(names, c.Name)
	}
	own := e.files.hold(all, names, false)
	if own == nil {
		t.Fatal("the files of this release are not read by it")
	}
	c := e.prompt.conns[0]
	for _, q := range []string{"select * from %s order by seq", "select count(*), count(latency_ms), bit_xor(hash(COLUMNS(*))) from %s"} {
		ours, err := c.query(fmt.Sprintf(q, "(select "+columnNames()+" from "+own.source()+")"), 0)
		if err != nil {
			t.Fatal(err)
		}
		layout := e.files.layout
		theirs, err := c.query(fmt.Sprintf(q, "(select "+columnNames()+" from "+readFiles(layout, all)+")"), 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(ours.rows) != len(theirs.rows) {
			t.Fatalf("%d rows, want %d", len(ours.rows), len(theirs.rows))
		}
		for i := range ours.rows {
			if got, want := fmt.Sprint(ours.rows[i]), fmt.Sprint(theirs.rows[i]); got != want {
				t.Fatalf("row %d\n%s\nwant\n%s", i, got, want)
			}
		}
	}
	if err := own.release(); err != nil {
		t.Fatal(err)
	}
}

func allEntries(v *lake.Version) []*lake.FileEntry {
	files := make([]*lake.FileEntry, len(v.Files))
	for i := range v.Files {
		files[i] = &v.Files[i]
	}
	return files
}
