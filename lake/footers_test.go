package lake

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"
)

// TestFootersAreKept reads the footers of a conversion's files: kept ones need no file, and nothing is kept beyond the bound.
func TestFootersAreKept(t *testing.T) {
	l := digestedLake(t)
	v := l.Current()
	f := &v.Files[0]
	kept, not := NewFooters(l.Layout(), 1<<20), NewFooters(l.Layout(), 0)
	for _, r := range []*Footers{kept, not} {
		footer, err := r.Read(f)
		if err != nil || footer == nil || footer.Rows != f.Rows || len(footer.Groups[0].Chunks) != len(FileColumns()) {
			t.Fatalf("%+v, %v", footer, err)
		}
	}
	wrong := *f
	wrong.Name, wrong.Rows = "another-"+f.Name, f.Rows+1
	if err := os.Link(l.Layout().Path(f), l.Layout().Path(&wrong)); err != nil {
		t.Fatal(err)
	}
	if footer, err := kept.Read(&wrong); err == nil {
		t.Errorf("a file of other rows than the catalog's: %+v", footer)
	}
	if err := os.Remove(l.Layout().Path(f)); err != nil {
		t.Fatal(err)
	}
	if footer, err := kept.Read(f); err != nil || footer == nil {
		t.Errorf("it was not kept: %v", err)
	}
	if _, err := not.Read(f); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it was kept: %v", err)
	}
	for i := range 10_000 { // so many that the older ones go
		kept.add(fmt.Sprint("file", i), nil)
	}
	if _, ok := kept.kept(f.Name); ok {
		t.Error("the oldest one did not go")
	}
	if kept.bytes > kept.limit/2 {
		t.Errorf("%d bytes are kept, the bound is %d", kept.bytes, kept.limit)
	}
}
