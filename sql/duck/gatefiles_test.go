package duck

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/sql"
)

// TestNoStatementWritesAFile runs everything that the gate accepts.
func TestNoStatementWritesAFile(t *testing.T) {
	dir := t.TempDir()
	l, e := openBoth(t, dir)
	generateInto(t, l, 300, 1)
	if _, err := l.Convert(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	ask(t, e, "select 1 from minutes limit 0")
	before := tree(t, dir)
	for _, text := range accepted {
		if _, err := e.Query(t.Context(), sql.Query{Text: text}); err != nil {
			var syntax *sql.SyntaxError
			if !errors.As(err, &syntax) {
				t.Errorf("%s\n%v", text, err)
			}
		}
	}
	for _, pair := range refused {
		if _, err := e.Query(t.Context(), sql.Query{Text: pair[0]}); err == nil {
			t.Errorf("%s ran", pair[0])
		}
	}
	if after := tree(t, dir); after != before {
		t.Errorf("files before:\n%s\nafter:\n%s", before, after)
	}
}

func tree(tb testing.TB, dir string) string {
	tb.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		names = append(names, path)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return strings.Join(names, "\n")
}

// FuzzGate looks for a text that passes the gate and writes a file or reads one of the system's.
func FuzzGate(f *testing.F) {
	dir := f.TempDir()
	l, e := openBoth(f, dir)
	generateInto(f, l, 50, 1)
	ask(f, e, "select 1 from minutes limit 0")
	for _, text := range accepted {
		f.Add(text)
	}
	for _, pair := range refused {
		f.Add(pair[0])
	}
	before := tree(f, dir)
	f.Fuzz(func(t *testing.T, text string) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		result, err := e.Query(ctx, sql.Query{Text: text, MaxRows: 10})
		if err == nil && strings.Contains(fmt.Sprint(result.Rows), "root:x:0") {
			t.Fatalf("%q read the system's files", text)
		}
		if after := tree(t, dir); after != before {
			t.Fatalf("%q changed the lake:\n%s", text, after)
		}
	})
}
