package tui

import (
	"context"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"github.com/signallake/signallake/sql/bench"
	"github.com/signallake/signallake/tui/cell"
)

// driver plays the program's loop by hand: it feeds messages to Update and runs commands until nothing is left, on a clock that only the
// test moves.
type driver struct {
	t       *testing.T
	app     *App
	fake    *fake
	msgs    chan tea.Msg
	pending int       // commands that have not answered yet
	later   []tea.Msg // what the console asked to get after a while, but for ticks
	quit    bool
	seen    []tea.Msg // messages that only Bubble Tea understands
}

// patience bounds every wait in a test: far above what it takes.
const patience = 20 * time.Second

func drive(t *testing.T, f *fake, w, h int) *driver {
	t.Helper()
	d := newDriver(t, f)
	d.send(tea.WindowSizeMsg{Width: w, Height: h})
	d.do(d.app.Init())
	d.settle()
	return d
}

func newDriver(t *testing.T, f *fake) *driver {
	t.Helper()
	d := &driver{t: t, fake: f, msgs: make(chan tea.Msg, 256)}
	ctx, cancel := context.WithCancel(context.Background())
	d.app = New(ctx, f.config())
	d.app.bench.ladder.words = func(now, before *bench.Report) benchWords {
		said := benchWords{findings: fakeFindings(now)}
		if before != nil {
			said.changes = bench.Compare(now, before)
		}
		return said
	}
	d.app.after = func(_ time.Duration, msg tea.Msg) tea.Cmd {
		if _, tick := msg.(tickMsg); !tick {
			d.later = append(d.later, msg)
		}
		return nil
	}
	t.Cleanup(func() { cancel(); d.app.Close() })
	return d
}

// do starts a command.
func (d *driver) do(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	d.pending++
	go func() { d.msgs <- cmd() }()
}

// settle takes answers until no command is left.
func (d *driver) settle() {
	d.t.Helper()
	for d.pending > 0 {
		select {
		case msg := <-d.msgs:
			d.pending--
			d.take(msg)
		case <-time.After(patience):
			d.t.Fatalf("a command did not end; the screen shows:\n%s", d.text())
		}
	}
}

// until takes answers until something has happened, however many commands are left.
func (d *driver) until(happened <-chan struct{}) {
	d.t.Helper()
	for {
		select {
		case <-happened:
			return
		case msg := <-d.msgs:
			d.pending--
			d.take(msg)
		case <-time.After(patience):
			d.t.Fatalf("it did not happen; the screen shows:\n%s", d.text())
		}
	}
}

func (d *driver) take(msg tea.Msg) {
	switch msg := msg.(type) {
	case nil:
	case tea.BatchMsg:
		for _, cmd := range msg {
			d.do(cmd)
		}
	case tea.QuitMsg:
		d.quit = true
	default:
		if strings.HasPrefix(typeName(msg), "tea.") {
			d.seen = append(d.seen, msg)
		}
		d.send(msg)
	}
}

// send feeds one message and starts what it leads to.
func (d *driver) send(msg tea.Msg) {
	_, cmd := d.app.Update(msg)
	d.do(cmd)
}

// elapse moves the clock by whole ticks and delivers what was asked for later.
func (d *driver) elapse(span time.Duration) {
	d.t.Helper()
	for range int(span / tickEvery) {
		d.fake.mu.Lock()
		d.fake.now = d.fake.now.Add(tickEvery)
		d.fake.mu.Unlock()
		later := d.later
		d.later = nil
		for _, msg := range later {
			d.send(msg)
		}
		d.send(tickMsg{})
		d.settle()
	}
}

// press types keys by their names and settles after each; "text:…" types letters.
func (d *driver) press(names ...string) {
	d.t.Helper()
	for _, name := range names {
		if text, ok := strings.CutPrefix(name, "text:"); ok {
			for _, r := range text {
				d.send(key(string(r)))
			}
		} else {
			d.send(key(name))
		}
		d.settle()
	}
}

var codes = map[string]rune{"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight, "home": tea.KeyHome, "end": tea.KeyEnd,
	"pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "backspace": tea.KeyBackspace, "delete": tea.KeyDelete, "space": tea.KeySpace, "f1": tea.KeyF1, "f2": tea.KeyF2, "f5": tea.KeyF5, "f8": tea.KeyF8, "f12": tea.KeyF12}

// key makes the message of a key from its name: ctrl+c, alt+1, shift+left, enter, a.
func key(name string) tea.KeyPressMsg {
	var k tea.KeyPressMsg
	for {
		rest := name
		for prefix, mod := range map[string]tea.KeyMod{"ctrl+": tea.ModCtrl, "alt+": tea.ModAlt, "shift+": tea.ModShift} {
			if len(name) > len(prefix) && strings.HasPrefix(name, prefix) {
				k.Mod |= mod
				rest = name[len(prefix):]
			}
		}
		if rest == name {
			break
		}
		name = rest
	}
	if code, ok := codes[name]; ok {
		k.Code = code
		if name == "space" {
			k.Text = " "
		}
		return k
	}
	k.Code = []rune(name)[0]
	if k.Mod&(tea.ModCtrl|tea.ModAlt) == 0 {
		k.Text = name
	}
	return k
}

// frame is the screen with its styles; every frame is checked to be exactly as large as the window.
func (d *driver) frame() string {
	d.t.Helper()
	content := d.app.View().Content
	lines := strings.Split(content, "\n")
	if len(lines) != d.app.height {
		d.t.Fatalf("%d lines, want %d", len(lines), d.app.height)
	}
	for i, line := range lines {
		if w := ansi.StringWidth(line); w != d.app.width {
			d.t.Fatalf("line %d is %d columns wide, want %d: %q", i, w, d.app.width, line)
		}
	}
	return content
}

// text is the screen without styles.
func (d *driver) text() string { return ansi.Strip(d.frame()) }

func (d *driver) wants(texts ...string) {
	d.t.Helper()
	screen := d.text()
	for _, text := range texts {
		if !strings.Contains(screen, text) {
			d.t.Fatalf("%q is not on the screen:\n%s", text, screen)
		}
	}
}

func (d *driver) lacks(texts ...string) {
	d.t.Helper()
	screen := d.text()
	for _, text := range texts {
		if strings.Contains(screen, text) {
			d.t.Fatalf("%q is on the screen:\n%s", text, screen)
		}
	}
}

// click clicks on the first place where text stands.
func (d *driver) click(text string) {
	d.t.Helper()
	for y, line := range strings.Split(d.text(), "\n") {
		if before, _, ok := strings.Cut(line, text); ok {
			d.send(tea.MouseClickMsg{X: cell.Width(before), Y: y, Button: tea.MouseLeft})
			d.settle()
			return
		}
	}
	d.t.Fatalf("%q is not on the screen:\n%s", text, d.text())
}

// mode is a kind of terminal.
type mode struct {
	name    string
	profile colorprofile.Profile
	ascii   bool
}

var modes = []mode{{"colour", colorprofile.TrueColor, false}, {"nocolor", colorprofile.ASCII, false}, {"ascii", colorprofile.ASCII, true}}

func (d *driver) use(m mode) {
	d.app.cfg.ASCII, d.app.canvas.ASCII = m.ascii, m.ascii
	d.send(tea.ColorProfileMsg{Profile: m.profile})
}
