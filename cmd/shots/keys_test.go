package main

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParseKeys(t *testing.T) {
	good := func(script string, want ...step) {
		t.Helper()
		got, err := parseKeys(script)
		if err != nil {
			t.Errorf("%q: %v", script, err)
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, want %+v", script, got, want)
		}
	}
	typed := func(texts ...string) (steps []step) {
		for _, text := range texts {
			steps = append(steps, step{typed: text})
		}
		return steps
	}
	good("")
	good("3,500ms,text:select 1,F5,1s", step{typed: "3"}, step{pause: 500 * time.Millisecond}, step{typed: "select 1"}, step{typed: "\x1b[15~"}, step{pause: time.Second})
	good("enter, tab,shift+tab,space,comma,backspace", typed("\r", "\t", "\x1b[Z", " ", ",", "\x7f")...)
	good("esc,q", step{typed: "\x1b"}, step{pause: afterEscape}, step{typed: "q"})
	good("up,down,left,right,home,end,pgup,pgdown,delete", typed("\x1b[A", "\x1b[B", "\x1b[D", "\x1b[C", "\x1b[H", "\x1b[F", "\x1b[5~", "\x1b[6~", "\x1b[3~")...)
	good("ctrl+p,Ctrl+C,ctrl+j,alt+4,alt+enter,ctrl+alt+x", typed("\x10", "\x03", "\n", "\x1b4", "\x1b\r", "\x1b\x18")...)
	good("shift+up,ctrl+right,ctrl+home,alt+pgdown,ctrl+f5,shift+f1", typed("\x1b[1;2A", "\x1b[1;5C", "\x1b[1;5H", "\x1b[6;3~", "\x1b[15;5~", "\x1b[1;2P")...)
	good("wait:p95 by service,gone:loading", step{wait: "p95 by service"}, step{gone: "loading"})
	good(`text:select 1\, 2 \\,:,/,?,é`, step{typed: `select 1, 2 \`}, step{typed: ":"}, step{typed: "/"}, step{typed: "?"}, step{typed: "é"})
	good("resize:80x24", step{resize: size{80, 24}})

	bad := func(script, inError string) {
		t.Helper()
		if got, err := parseKeys(script); err == nil {
			t.Errorf("%q: got %+v, want an error", script, got)
		} else if !strings.Contains(err.Error(), inError) {
			t.Errorf("%q: the error %q does not say %q", script, err, inError)
		}
	}
	bad("return", `"return"`)
	bad("hyper+x", `"hyper+x"`)
	bad("shift+a", `"shift+a"`)
	bad("ctrl+1", `"ctrl+1"`)
	bad("resize:80", `"80"`)
	bad("resize:0x9", `"0x9"`)
}
