package tui

import (
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/tui/cell"
)

// Update takes one message. It does no work that could take long: questions, files and tasks are commands.
func (a *App) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		a.width, a.height = msg.Width, msg.Height
	case tea.ColorProfileMsg:
		a.theme = cell.NewTheme(msg.Profile, a.theme.Light)
	case tea.BackgroundColorMsg:
		a.theme = cell.NewTheme(a.theme.Profile, !msg.IsDark())
	case tea.KeyboardEnhancementsMsg:
		a.kittyKeys = true
	case tea.KeyPressMsg:
		a.hud.pressed(a.cfg.Now())
		return a, a.press(msg)
	case tea.PasteMsg:
		return a, a.paste(msg.Content)
	case tea.MouseClickMsg:
		return a, a.click(msg.Mouse())
	case tea.MouseWheelMsg:
		a.wheel(msg.Mouse())
	case tickMsg:
		return a, a.tick()
	case answerMsg:
		return a, msg.to.receive(msg)
	case jobEndedMsg:
		return a, a.jobEnded(msg)
	case memoryMsg:
		a.remember(msg)
	case savedMsg:
		return a, a.saved(msg)
	case queryDoneMsg, estimateDueMsg, estimateMsg:
		return a, a.sql.receive(msg)
	case delivery:
		return a, msg.deliver(a)
	}
	return a, nil
}

func (a *App) tick() tea.Cmd {
	a.ticks++
	a.sample()
	if a.now.After(a.toastUntil) {
		a.toast = ""
	}
	a.hud.second(a.now)
	a.ingest.notice()
	cmds := []tea.Cmd{a.after(tickEvery, tickMsg{}), a.here().tick()}
	if a.current != dashScreen {
		cmds = append(cmds, a.dash.background())
	}
	return tea.Batch(cmds...)
}

// press takes a key: the overlay on top first, then the actions at hand, then the screen.
func (a *App) press(k tea.KeyPressMsg) tea.Cmd {
	name := k.String()
	if name == "alt+esc" { // a terminal's Esc that another escape sequence followed at once
		name = "esc"
		k = tea.KeyPressMsg{Code: tea.KeyEscape}
	}
	if a.cfg.PanicKey && name == "ctrl+\\" {
		panic("the panic key was pressed")
	}
	if len(a.overlays) > 0 && !anytime(name) {
		if a.helped(name) {
			return nil
		}
		return a.overlays[len(a.overlays)-1].key(k)
	}
	if a.tooSmall() && !anytime(name) && name != "q" {
		return nil
	}
	at := a.places()
	text := k.Text != "" && k.Mod&(tea.ModAlt|tea.ModCtrl) == 0
	for i := range a.actions {
		act := &a.actions[i]
		if act.run == nil || act.place&at == 0 || (text && a.here().typing()) || !act.has(name) {
			continue
		}
		return a.do(act)
	}
	return a.here().key(k)
}

// anytime are the keys that work whatever is open.
func anytime(name string) bool {
	switch name {
	case "ctrl+c", "ctrl+q", "ctrl+z", "ctrl+l", "f2", "f12":
		return true
	}
	return false
}

// do runs an action, or says why it is off.
func (a *App) do(act *action) tea.Cmd {
	if act.off != nil {
		if why := act.off(a); why != "" {
			a.say(act.label + ": " + why)
			return nil
		}
	}
	return act.run(a)
}

func (a *App) paste(text string) tea.Cmd {
	if len(a.overlays) > 0 {
		a.overlays[len(a.overlays)-1].paste(text)
		return nil
	}
	if line, ok := pastedPaths(text); ok && !a.here().typing() && a.noImport() == "" {
		return a.importPasted(line)
	}
	return a.here().paste(text)
}

// zone is a part of the screen that answers a click; run gets the place within it.
type zone struct {
	rect cell.Rect
	run  func(dx, dy int) tea.Cmd
	rows bool // a second click at the same place is Enter
}

// zone makes r clickable until the next frame.
func (a *App) zone(r cell.Rect, run func(dx, dy int) tea.Cmd) {
	a.zones = append(a.zones, zone{r, run, false})
}

// rowZone is a zone of rows: a double click enters one.
func (a *App) rowZone(r cell.Rect, run func(dx, dy int) tea.Cmd) {
	a.zones = append(a.zones, zone{r, run, true})
}

func (a *App) click(m tea.Mouse) tea.Cmd {
	if m.Button != tea.MouseLeft {
		return nil
	}
	now := a.cfg.Now()
	double := now.Sub(a.lastClick.at) < doubleClick && a.lastClick.x == m.X && a.lastClick.y == m.Y && a.lastClick.depth == len(a.overlays)
	a.lastClick = click{now, m.X, m.Y, len(a.overlays)}
	for i := len(a.zones) - 1; i >= 0; i-- {
		z := a.zones[i]
		if !z.rect.Contains(m.X, m.Y) {
			continue
		}
		cmd := z.run(m.X-z.rect.X, m.Y-z.rect.Y)
		if double && z.rows && len(a.overlays) == 0 {
			a.lastClick.at = time.Time{}
			return a.press(tea.KeyPressMsg{Code: tea.KeyEnter})
		}
		return cmd
	}
	return nil
}

func (a *App) wheel(m tea.Mouse) {
	n := map[tea.MouseButton]int{tea.MouseWheelUp: -3, tea.MouseWheelDown: 3}[m.Button]
	switch {
	case n == 0 || a.tooSmall():
	case len(a.overlays) > 0:
		a.overlays[len(a.overlays)-1].wheel(n)
	default:
		a.here().wheel(m.X, m.Y, n)
	}
}

// interrupt is Ctrl+C: it ends what runs in focus; with nothing running, a second one quits.
func (a *App) interrupt() tea.Cmd {
	switch {
	case len(a.overlays) > 0:
		a.close()
		return nil
	case a.current == sqlScreenID && a.sql.stop(), a.current == tasksScreen && a.tasks.stop(), a.current == dashScreen && a.dash.stop(),
		a.current == exploreScreen && a.explore.stop(), a.current == benchScreen && a.bench.stop(), a.current == ingestScreen && a.ingest.letters.stop():
		return nil
	case a.now.Before(a.quitUntil) || a.cfg.Now().Before(a.quitUntil):
		return tea.Quit
	}
	a.quitUntil = a.cfg.Now().Add(2 * time.Second)
	text := "nothing runs here: Ctrl+C again quits"
	if n := a.running(); n > 0 {
		text = "Ctrl+C again quits and stops " + counted(int64(n), "task")
	}
	a.say(text)
	return nil
}

// quit leaves; with tasks running it asks first.
func (a *App) quit() tea.Cmd {
	a.jobs = a.runner.Snapshot()
	n := a.running()
	if n == 0 {
		return tea.Quit
	}
	names := make([]string, 0, n)
	for _, j := range a.jobs {
		if !j.Ended() {
			names = append(names, j.Title)
		}
	}
	a.push(newConfirm(a, "quit", counted(int64(n), "task")+" would be stopped: "+strings.Join(names, ", ")+". What is committed stays.", "quit", func() tea.Cmd { return tea.Quit }))
	return nil
}
