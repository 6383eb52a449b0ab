package main

import (
	"bytes"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// take runs the tool and returns what it printed.
func take(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(append([]string{"-wait", "0s", "-quiet", "100ms"}, args...), &out, io.Discard)
	return out.String(), err
}

func TestTypesAndWaits(t *testing.T) {
	text, err := take(t, "-run", `printf 'name? '; read name; printf '\033[2Jhello %s\n' "$name"; read end`, "-w", "20", "-h", "3",
		"-keys", `wait:name?,text:Ada\, L.,enter,gone:name?,wait:hello`)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, "hello Ada, L.\n") {
		t.Errorf("the screen shows\n%s", text)
	}
}

func TestResizeAndEnvironment(t *testing.T) {
	text, err := take(t, "-run", `trap 'stty size; echo $PLACE' WINCH; echo ready; while :; do read x; done`, "-keys", "wait:ready", "-env", "PLACE=here", "-resize", "50x7@0s", "-quiet", "500ms")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, "7 50") || !strings.Contains(text, "here") {
		t.Errorf("the program did not see the new size or the variable:\n%s", text)
	}
}

// TestAnswersTheBackgroundColour asks as Bubble Tea does; the console chooses its theme by the answer.
func TestAnswersTheBackgroundColour(t *testing.T) {
	ask := `stty raw -echo; printf '\033]11;?\007'; dd bs=1 count=23 2>/dev/null | tr -d '\033'; read end`
	for _, c := range []struct{ flag, want string }{{"-light=false", "11;rgb:1616/1818/1d1d"}, {"-light", "11;rgb:fdfd/fdfd/fbfb"}} {
		text, err := take(t, "-run", ask, c.flag, "-keys", "wait:rgb", "-limit", "20s")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(text, c.want) {
			t.Errorf("%s: the answer is\n%s", c.flag, text)
		}
	}
}

func TestSameScreenSamePicture(t *testing.T) {
	var pictures [2][]byte
	for i := range pictures {
		path := filepath.Join(t.TempDir(), "a.png")
		if _, err := take(t, "-run", `printf '\033[31m╭─╮ latency ▂▅█\n'; read end`, "-keys", "wait:latency", "-w", "20", "-h", "3", "-o", path); err != nil {
			t.Fatal(err)
		}
		var err error
		if pictures[i], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(pictures[0], pictures[1]) {
		t.Error("two pictures of the same screen differ")
	}
	config, err := png.DecodeConfig(bytes.NewReader(pictures[0]))
	if err != nil || config.Width != (20*cellWidth+2*margin)*2 || config.Height != (3*cellHeight+2*margin)*2 {
		t.Errorf("the picture is %d by %d (%v)", config.Width, config.Height, err)
	}
}

func TestFailures(t *testing.T) {
	for _, c := range []struct {
		name, want string
		args       []string
	}{
		{"the text never comes", "the screen shows\nwrong page", []string{"-run", "echo wrong page; read end", "-keys", "wait:right page", "-limit", "200ms"}},
		{"the program ends", "the program ended", []string{"-run", "echo no such folder; exit 1", "-keys", "wait:ready"}},
		{"nothing to run", "what to run", nil},
		{"a bad script", `"retrun"`, []string{"-run", "true", "-keys", "retrun"}},
		{"a bad size", `"wide"`, []string{"-run", "true", "-resize", "wide"}},
	} {
		out := filepath.Join(t.TempDir(), "a.png")
		if _, err := take(t, append(c.args, "-o", out)...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", c.name, err, c.want)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%s: a picture was written", c.name)
		}
	}
}
