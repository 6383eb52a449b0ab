package duck

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

func TestEmptyLakeAnswersZeroRows(t *testing.T) {
	_, e := openBoth(t, t.TempDir())
	for _, q := range sql.Questions() {
		result, err := e.Query(t.Context(), sql.Query{Text: q.SQL})
		if err != nil || len(result.Rows) != 0 || len(result.Columns) < 3 {
			t.Errorf("%s: %+v, %v", q.Name, result, err)
		}
		estimate, err := e.Estimate(t.Context(), q.SQL)
		if err != nil || estimate.Files != 0 || estimate.USD != 0 {
			t.Errorf("%s: %+v, %v", q.Name, estimate, err)
		}
	}
	for _, column := range lake.Columns() {
		rows := ask(t, e, "select column_type from (describe events) where column_name = '%s'", column.Name)
		if len(rows) != 1 || rows[0][0] != column.Type {
			t.Errorf("%s is %v in an empty lake, want %s", column.Name, rows, column.Type)
		}
	}
}

// TestMissingFolderOpenedReadOnly: nothing is created by asking.
func TestMissingFolderOpenedReadOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "nothing", "here")
	l, err := lake.Open(t.Context(), lake.Config{Dir: dir, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	e, err := Open(t.Context(), Config{Lake: l})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if rows := ask(t, e, "select count(*) from events"); rows[0][0] != int64(0) {
		t.Errorf("%v", rows)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder was made: %v", err)
	}
}

func TestRowCap(t *testing.T) {
	_, e := openBoth(t, t.TempDir())
	for _, c := range []struct {
		rows, limit, want int
		more              bool
	}{{10, 10, 10, false}, {11, 10, 10, true}, {0, 10, 0, false}, {10_001, 0, 10_000, true}} {
		result, err := e.Query(t.Context(), sql.Query{Text: fmt.Sprintf("from range(%d) -- all", c.rows), MaxRows: c.limit})
		if err != nil || len(result.Rows) != c.want || result.More != c.more {
			t.Errorf("%+v: %d rows, more %v, %v", c, len(result.Rows), result.More, err)
		}
	}
}

func TestResultTypes(t *testing.T) {
	_, e := openBoth(t, t.TempDir())
	for text, want := range map[string]any{
		"NULL": nil, "true": true, "1::TINYINT": int64(1), "1::UBIGINT": int64(1), "sum(5)": int64(5), "1.5::FLOAT": 1.5, "'x'": "x", "1.50": "1.50", "-0.05": "-0.05",
		"DATE '2026-11-21'": time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC), "TIMESTAMP '2026-11-21 01:02:03.000004'": time.Date(2026, 11, 21, 1, 2, 3, 4000, time.UTC),
		"TIMESTAMPTZ '2026-11-21 01:02:03+02'": time.Date(2026, 11, 20, 23, 2, 3, 0, time.UTC), "TIME '01:02:03'": "01:02:03", "INTERVAL 90 MINUTE": "01:30:00", "INTERVAL 14 MONTH": "1 year 2 months",
		"[1, NULL, 3]": "[1, NULL, 3]", "{'a': 'x y', 'b': [1]}": "{'a': 'x y', 'b': [1]}", "MAP {'k': 1}": "{k=1}", "170141183460469231731687303715884105727::HUGEINT": "170141183460469231731687303715884105727",
		"'\\x41'::BLOB": `\x41`, "'550e8400-e29b-41d4-a716-446655440000'::UUID": "550e8400-e29b-41d4-a716-446655440000", "'{\"b\": [1, 2]}'::JSON": `{"b":[1,2]}`, "'NaN'::DOUBLE > 1": true, "['a, b']": "['a, b']",
	} {
		result, err := e.Query(t.Context(), sql.Query{Text: "select " + text + " as v"})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got := result.Rows[0][0]
		if at, ok := want.(time.Time); ok {
			if is, _ := got.(time.Time); !is.Equal(at) {
				t.Errorf("%s: %v, want %v", text, got, at)
			}
		} else if got != want {
			t.Errorf("%s: %v (%T), want %v", text, got, got, want)
		}
	}
}

func TestErrorsHaveAPlace(t *testing.T) {
	_, e := openBoth(t, t.TempDir())
	for text, offset := range map[string]int{
		"select nothing from events": 7, "  select 1 from events where nothing = 1": 29, "explain select nothing from events": 15, "select count(*) from events group by": 36, "select 'x'::integr": -2,
	} {
		for name, err := range map[string]error{"query": second(e.Query(t.Context(), sql.Query{Text: text})), "estimate": second(e.Estimate(t.Context(), text))} {
			var syntax *sql.SyntaxError
			if !errors.As(err, &syntax) || syntax.Message == "" || strings.Contains(syntax.Message, "{") {
				t.Errorf("%s of %q: %T %v", name, text, err, err)
			} else if offset >= 0 && syntax.Offset != offset {
				t.Errorf("%s of %q: offset %d, want %d (%s)", name, text, syntax.Offset, offset, syntax.Message)
			}
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestBrokenFileIsNamed(t *testing.T) {
	l, e := openBoth(t, t.TempDir())
	generateInto(t, l, 500, 1)
	if _, err := l.Convert(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	path := l.Layout().Path(&l.Current().Files[0])
	for _, damage := range []func() error{func() error { return os.Truncate(path, 100) }, func() error { return os.Remove(path) }} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		_, err := e.Query(t.Context(), sql.Query{Text: "select sum(latency_ms) from events"})
		if err == nil || !strings.Contains(err.Error(), filepath.Base(path)) || !strings.Contains(err.Error(), "verify") {
			t.Errorf("%v, want an error that names %s", err, filepath.Base(path))
		}
	}
}
