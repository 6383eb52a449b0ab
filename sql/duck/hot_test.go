package duck

import (
	"database/sql/driver"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

func TestTypesAreTheSameInFilesAndHotRows(t *testing.T) {
	l, e := openBoth(t, t.TempDir())
	generateInto(t, l, 300, 1)
	text := "select string_agg(distinct typeof(COLUMNS(*)), '') from events"
	hot := ask(t, e, "%s", text)
	if _, err := l.Convert(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	files := ask(t, e, "%s", text)
	for i, c := range lake.Columns() {
		if hot[0][i] != c.Type || files[0][i] != c.Type {
			t.Errorf("%s: %v in hot rows, %v in files, want %s", c.Name, hot[0][i], files[0][i], c.Type)
		}
	}
}

// TestMinSeqSeesOwnWrites asks right after each acknowledgement.
func TestMinSeqSeesOwnWrites(t *testing.T) {
	l, e := openBoth(t, t.TempDir())
	for i := range 10 {
		receipt, err := l.Append(t.Context(), onceBatchOf(0, i*onceBatch))
		if err != nil {
			t.Fatal(err)
		}
		result, err := e.Query(t.Context(), sql.Query{Text: "select count(*) from events", MinSeq: receipt.First + onceBatch})
		if err != nil {
			t.Fatal(err)
		}
		if want := int64((i + 1) * onceBatch); result.Rows[0][0] != want || result.Stats.HotRows != want {
			t.Fatalf("%v rows, %d hot, want %d", result.Rows[0][0], result.Stats.HotRows, want)
		}
	}
	fresh := e.Freshness()
	if fresh.VisibleTo != l.Committed() || fresh.Committed != l.Committed() || fresh.LagP95 <= 0 || fresh.LagP95 > 5*time.Second || fresh.PerSecond <= 0 || fresh.NewestAt == 0 || fresh.Err != "" {
		t.Errorf("%+v", fresh)
	}
}

// TestHotTablesAreDropped: after a conversion only statements that run may hold them.
func TestHotTablesAreDropped(t *testing.T) {
	l, e := openBoth(t, t.TempDir())
	generateInto(t, l, 500, 1)
	ask(t, e, "select count(*) from events")
	held := e.hot.pin()
	if len(held.hot) == 0 {
		t.Fatal("no hot table")
	}
	if _, err := l.Convert(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	generateInto(t, l, 50, 2)
	if rows := ask(t, e, "select count(*) from events"); rows[0][0] != int64(550) {
		t.Errorf("%v", rows)
	}
	count := func() (driver.Value, error) {
		c := <-e.conns
		defer func() { e.conns <- c }()
		set, err := c.query("select count(*), count(distinct event_id) from "+held.hot[0].name, 1)
		if err != nil {
			return nil, err
		}
		return set.rows[0][1], nil
	}
	pause(t, 3*idleEvery) // time enough to give back what nobody holds
	if n, err := count(); err != nil || n != int64(500) {
		t.Errorf("a statement that holds the rows of before the conversion reads %v of them: %v", n, err)
	}
	name := held.hot[0].name
	held.release()
	c := <-e.conns
	if _, err := c.query("select 1 from "+name, 1); err == nil || !strings.Contains(err.Error(), "holds") {
		t.Errorf("rows that nobody holds can be read: %v", err)
	}
	e.conns <- c
	for deadline := time.Now().Add(10 * time.Second); e.hot.slabs.size() > 2*slabBytes; { // the 50 events
		if time.Now().After(deadline) {
			t.Fatalf("%d bytes are still in use", e.hot.slabs.size())
		}
		pause(t, 20*time.Millisecond)
	}
}

// TestLagAfterRestart reads a tail that was there before the start: how long the program was away is not how late it is.
func TestLagAfterRestart(t *testing.T) {
	dir := t.TempDir()
	l, err := lake.Open(t.Context(), lake.Config{Dir: dir, ConvertAge: -1})
	if err != nil {
		t.Fatal(err)
	}
	generateInto(t, l, 5000, 1)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l, engine := openBoth(t, dir)
	if err := engine.WaitLoaded(t.Context()); err != nil {
		t.Fatal(err)
	}
	fresh := engine.Freshness()
	if fresh.VisibleTo != l.Committed() || fresh.LagP95 != 0 || fresh.PerSecond != 0 {
		t.Errorf("after a restart: %+v", fresh)
	}
}
