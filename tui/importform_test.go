package tui

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/lake"
)

func pathField(d *driver) string {
	dialog, ok := d.app.overlays[len(d.app.overlays)-1].(*formDialog)
	if !ok {
		d.t.Fatalf("no form is open:\n%s", d.text())
	}
	return dialog.form.Value(importPath)
}

func TestImportCompletesPaths(t *testing.T) {
	d := drive(t, newFake(), 80, 24)
	at := func(want string) {
		t.Helper()
		if got := pathField(d); got != want {
			t.Fatalf("the field holds %q, want %q; the screen shows:\n%s", got, want, d.text())
		}
	}
	d.press("i", "text:lo", "tab")
	at("logs/")
	d.wants("5 names", "access.log.1.gz", "archive/", "worker.jsonl") // one folder alone: its content comes at once
	d.press("text:a")
	d.lacks("worker.jsonl")
	d.press("text:cc", "esc")
	d.lacks("access.log.1.gz")
	d.press("tab")
	at("logs/access.log") // what they share
	d.wants("access.log.1.gz")
	d.press("down", "enter")
	at("logs/access.log.1.gz")
	d.press("ctrl+u", "text:logs/", "tab")
	d.click("api errors.log")
	at(`logs/api\ errors.log`)
	d.press("ctrl+u", "text:logs/access.log.1.gz")
	d.press("tab") // it is whole: the next field
	d.press("right")
	d.wants("● json")
	d.press("shift+tab", "ctrl+u", "text:logs/ar", "tab", "tab")
	at("logs/archive/2015-05.log.zst")
	d.press("ctrl+u", "text:logs/ap", "tab")
	at(`logs/api\ errors.log`)
	d.press("text: notes", "tab")
	at(`logs/api\ errors.log notes.txt`)
	d.press("ctrl+u", "text:logs/*.lo", "tab")
	d.wants("a pattern")
	d.press("ctrl+u", "text:nowhere", "tab")
	d.wants("nothing begins with nowhere")
	d.press("esc")
	d.lacks("import log files")
}

// TestOvertakenCompletion types on while a folder is being read: the late answer changes nothing, and the folder's reading ends.
func TestOvertakenCompletion(t *testing.T) {
	f := newFake()
	asked := make(chan string, 8)
	ended := make(chan error, 8)
	f.complete = func(ctx context.Context, path string) ([]string, error) {
		if path != "lo" {
			return fakeFolder(ctx, path)
		}
		asked <- path
		<-ctx.Done()
		ended <- ctx.Err()
		return []string{"lonely.log"}, nil // too late, and it does not even say so
	}
	d := drive(t, f, 120, 36)
	d.press("i", "text:lo")
	d.send(key("tab"))
	<-asked
	d.wants("reading the folder")
	d.send(key("g"))
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the overtaken reading ended with %v", err)
	}
	d.settle()
	if got := pathField(d); got != "log" {
		t.Errorf("the field holds %q, want %q", got, "log")
	}
	d.press("tab")
	if got := pathField(d); got != "logs/" {
		t.Errorf("the field holds %q, want %q", got, "logs/")
	}
}

func TestCompletionThatFails(t *testing.T) {
	f := newFake()
	f.complete = func(context.Context, string) ([]string, error) {
		return nil, errors.New("open /root: permission denied")
	}
	d := drive(t, f, 80, 24)
	d.press("i", "text:/home/", "tab")
	d.wants("× open /root: permission denied")
	f = newFake()
	f.complete = func(context.Context, string) ([]string, error) { panic("out of luck") }
	d = drive(t, f, 80, 24)
	d.press("i", "tab")
	d.wants("a bug ended the completion: out of luck")
}

func TestImportSendsWhatTheFormSays(t *testing.T) {
	f := newFake()
	d := drive(t, f, 80, 24)
	d.press("i", "enter")
	d.wants("which file?")
	d.press(`text:logs/*.gz 'my file'`, "down", "right", "right", "tab", "text:web", "tab", "text:took", "tab", "right", "enter")
	d.wants(`"took" is not theirs=ours`)
	d.press("text:=latency_ms", "enter")
	if len(f.imported) != 1 {
		t.Fatalf("%d imports started:\n%s", len(f.imported), d.text())
	}
	p := f.imported[0]
	if !slices.Equal(p.Paths, []string{"logs/*.gz", "my file"}) || p.Format != "access" || p.Service != "web" || p.Map != "took=latency_ms" || !p.Follow || p.Again {
		t.Errorf("the import got %+v", p)
	}
	d.elapse(tickEvery)
	d.wants("follow 2 paths", "9,998 accepted")
	d.press("esc")
	d.wants("latency by service") // where the form was opened
}

// TestImportLeadsToItsTime imports logs of 2015 into a live lake: Enter on the ended task shows their time.
func TestImportLeadsToItsTime(t *testing.T) {
	d := drive(t, newFake(), 120, 36)
	d.press("i", "text:logs/access.log", "enter")
	d.elapse(tickEvery)
	d.wants("✓ import access.log")
	d.press("enter")
	d.wants("9,998 accepted, 2 rejected", "Enter: look at it on the dashboard")
	d.press("enter")
	d.elapse(tickEvery)
	d.wants("2015-05-17 10:00", "2015-05-20 22:00Z", "range 84 h", "fixed range")
	d.press("esc")
	d.wants("import access.log")
	d.press("i")
	if got := pathField(d); got != "" {
		t.Errorf("the form still holds %q after an import that went well", got)
	}
}

// TestImportIntoEmptyLake: the page shows how it goes, and the dashboard finds the data's own time. A live range of the user's is empty, and
// says where the data ends.
func TestImportIntoEmptyLake(t *testing.T) {
	d := drive(t, newFake().empty(), 120, 36)
	d.wants("make a demo lake", "import log files", "curl -s")
	d.press("i", "text:logs/access.log", "enter")
	d.elapse(2 * time.Second)
	d.wants("latency by service", "data ends 2015-05-20; showing its last 24 h")
	d.press("t", "text:6h", "enter")
	d.elapse(2 * time.Second)
	d.wants("LIVE", "no events in this range", "data ends 2015-05-20, t")
	d.press("t", "text:auto", "enter")
	d.wants("showing its last 24 h")
	d.press("-")
	d.wants("2015-05-2", "fixed range", "range 2 days")
}

func TestFailedImportKeepsTheForm(t *testing.T) {
	f := newFake().empty()
	f.tasks.Import = func(context.Context, ImportParams, *lake.Progress) (string, error) {
		return "", errors.New("logs/acess.log: no such file")
	}
	d := drive(t, f, 80, 24)
	d.press("i", "text:logs/acess.log", "enter")
	d.elapse(tickEvery)
	d.wants("× import acess.log", "no such file", "make a demo lake", "import log files")
	d.press("i")
	if got := pathField(d); got != "logs/acess.log" {
		t.Errorf("the form has forgotten what failed: %q", got)
	}
}

func TestImportIsOffWhereTheLakeIsNotOurs(t *testing.T) {
	d := drive(t, newFake().readOnly(), 120, 36)
	d.press("i")
	d.wants("import: serve (process 4711) owns this lake")
	d.send(tea.PasteMsg{Content: "/var/log/app.log"})
	if len(d.app.overlays) != 0 {
		t.Error("a dropped file opened the form")
	}
	d.press("3", "text:i")
	if got := d.app.sql.editor.Value(); got != "i" {
		t.Errorf("the editor holds %q, want i", got)
	}
}

func TestDroppedFiles(t *testing.T) {
	for _, row := range []struct{ pasted, want string }{
		{"/var/log/app.log", "/var/log/app.log"},
		{"'/home/me/my logs/app.log' ", `/home/me/my\ logs/app.log`},
		{`/home/me/my\ logs/app.log`, `/home/me/my\ logs/app.log`},
		{"/home/me/my logs/app.log", `/home/me/my\ logs/app.log`},
		{"\"/a b.log\" '/c.log'", `/a\ b.log /c.log`},
		{"file:///home/me/a%20b.log\r\nfile:///c.log\r\n", `/home/me/a\ b.log /c.log`},
		{"file://localhost/x.log", "/x.log"},
		{"~/a.log\n./b.log", "~/a.log ./b.log"},
		{"/it's.log", `/it\'s.log`},
	} {
		d := drive(t, newFake(), 80, 24)
		d.send(tea.PasteMsg{Content: row.pasted})
		if got := pathField(d); got != row.want {
			t.Errorf("%q became %q, want %q", row.pasted, got, row.want)
		}
		d.send(tea.PasteMsg{Content: "/more.log"})
		if got := pathField(d); got != row.want+" /more.log" {
			t.Errorf("a second file made %q", got)
		}
	}
	d := drive(t, newFake(), 80, 24)
	d.send(tea.PasteMsg{Content: "SELECT 1"})
	if len(d.app.overlays) != 0 {
		t.Error("a pasted text that is no path opened the form")
	}
}

func TestSplitPaths(t *testing.T) {
	split := func(line string, bad bool, want ...string) {
		t.Helper()
		list, err := splitPaths(line)
		var got []string
		for _, w := range list {
			got = append(got, w.text)
		}
		if !slices.Equal(got, want) || (err != nil) != bad {
			t.Errorf("%q is %q, %v; want %q", line, got, err, want)
		}
	}
	split("", false)
	split("  a  b ", false, "a", "b")
	split(`a\ b 'c d'e "f'g" ''`, false, "a b", "c de", "f'g", "")
	split(`'a b`, true, "a b")
	split(`a\`, true, "a")
	for _, path := range []string{"a b", `it's`, `"`, `\`, "tab\there", "漢字 é"} {
		split(quotePath(path)+" x", false, path, "x")
	}
}

// FuzzSplitPaths: what quotePath writes, splitPaths reads as that one word, and no line breaks it.
func FuzzSplitPaths(f *testing.F) {
	f.Add(`a 'b`, "c d")
	f.Add("", "\x00") // zero is not a quote
	f.Fuzz(func(t *testing.T, line, path string) {
		list, _ := splitPaths(line)
		for _, w := range list {
			if w.start < 0 || w.end > len(line) || w.start >= w.end {
				t.Errorf("%q: a word at %d to %d", line, w.start, w.end)
			}
		}
		if start, _ := wordBefore(line); start > len(line) {
			t.Errorf("%q: its last word begins at %d", line, start)
		}
		if path == "" || !strings.Contains(strings.ToValidUTF8(path, "?"), path) {
			return
		}
		if list, err := splitPaths(quotePath(path)); err != nil || len(list) != 1 || list[0].text != path {
			t.Errorf("%q is written %q and read as %v, %v", path, quotePath(path), list, err)
		}
	})
}
