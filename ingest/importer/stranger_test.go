package importer

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestACopyOfTheBeginning imports a file, then a copy of its first lines, then the file and its rotated form again.
func TestACopyOfTheBeginning(t *testing.T) {
	s := newSink()
	text := lines(1, 401)
	whole, part := temp(t, "app.log", text), temp(t, "part.log", lines(1, 251))
	wantResult(t, imports(t, testConfig(s), whole)[0], Imported, 400, 0)
	wantResult(t, imports(t, testConfig(s), part)[0], Imported, 250, 0) // it may be another input: what follows is not known yet
	wantResult(t, imports(t, testConfig(s), whole)[0], Already, 0, 0)
	wantResult(t, imports(t, testConfig(s), temp(t, "app.log.1.gz", gzipOf(t, text)))[0], Already, 0, 0)
	wantResult(t, imports(t, testConfig(s), part)[0], Already, 0, 0)
}

// TestAgainAfterEverythingWasRefused counts each line of the second try, also those that were refused before.
func TestAgainAfterEverythingWasRefused(t *testing.T) {
	s := newSink()
	path := temp(t, "app.log", strings.ReplaceAll(lines(1, 3), "timestamp", "at")+`{"at":"never","message":"3"}`+"\n")
	c := testConfig(s)
	c.Map = map[string]string{"message": "timestamp"}
	c.Kind = "json"
	if r := imports(t, c, path)[0]; r.Rejected != r.Lines {
		t.Fatalf("%d of %d lines refused, want all", r.Rejected, r.Lines)
	}
	c.Map = map[string]string{"at": "timestamp"}
	if r := imports(t, c, path)[0]; r.Lines != 3 || r.Accepted != 2 || r.Rejected != 1 || r.Before != 0 {
		t.Errorf("%d lines = %d + %d, %d before; want 3 = 2 + 1, none before", r.Lines, r.Accepted, r.Rejected, r.Before)
	}
}

func TestAPipeThatNobodyWritesTo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c := testConfig(newSink())
	ended := make(chan []*Result)
	go func() {
		results, _ := Run(ctx, c, []string{path})
		ended <- results
	}()
	cancel()
	if r := (<-ended)[0]; r.State != Stopped {
		t.Errorf("%s: %v", r.State, r.Err)
	}
}

func TestAFileThatIsCutShort(t *testing.T) {
	path := temp(t, "app.log", lines(1, 50))
	f, err := openFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	if err := f.whole(); err != nil {
		t.Error(err)
	}
	if err := os.Truncate(path, 10); err != nil {
		t.Fatal(err)
	}
	if err := f.whole(); err == nil || !strings.Contains(err.Error(), "--follow") {
		t.Errorf("%v", err)
	}
}

func TestALineWithoutItsEnd(t *testing.T) {
	check := func(text string, want bool) {
		t.Helper()
		if r := imports(t, testConfig(newSink()), temp(t, "app.log", text))[0]; r.Unfinished != want {
			t.Errorf("%q: unfinished %v", text, r.Unfinished)
		}
	}
	check(lines(1, 3), false)
	check(strings.TrimSuffix(lines(1, 3), "\n"), true)
}
