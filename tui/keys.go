package tui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// place is where an action is at hand, as a set.
type place uint16

const (
	everywhere place = 1 << iota
	onPanels         // the dashboard with data
	onEmpty          // the dashboard of an empty lake
	inEditor         // typing SQL
	onGrid           // a result
	onSide           // the list beside the editor
	onTasks
	onIngest
	onExplore // the list of events
	onBench
	onFacets  // the values beside the list
	inFilter  // typing a filter
	onLetters // the ingest screen of a console that can work with dead letters
)

const onDash, onSQL = onPanels | onEmpty, inEditor | onGrid | onSide

// onRange are the places that look at the console's time range.
const onRange = onPanels | onExplore | onFacets

// action is one thing the console does on a key. The table of actions is the keys, the help, the footer and the palette.
type action struct {
	label string   // a word or two
	help  string   // what it does, a line
	keys  []string // as Bubble Tea names them; the first one is shown
	place place
	hint  bool                 // in the footer of its places
	off   func(a *App) string  // why it is off, "" when it is on; nil: always on
	run   func(a *App) tea.Cmd // nil: the screen or the widget takes the keys; the entry is for the help
}

func (act *action) has(name string) bool { return slices.Contains(act.keys, name) }

// places is the set of places where the console is now.
func (a *App) places() place { return everywhere | a.here().places() }

// keyNames are the names that differ from Bubble Tea's.
var keyNames = map[string]string{"space": "Space", "enter": "Enter", "esc": "Esc", "tab": "Tab", "shift+tab": "Shift+Tab", "pgup": "PgUp", "pgdown": "PgDn", "up": "↑", "down": "↓", "left": "←", "right": "→"}

// shown is a key as people write it: Ctrl+P, Alt+1, F5, g.
func shown(key string) string {
	if name, ok := keyNames[key]; ok {
		return name
	}
	parts := strings.Split(key, "+")
	if key == "+" || len(parts) == 1 && len(key) == 1 {
		return key
	}
	for i, p := range parts {
		if name, ok := keyNames[p]; ok {
			parts[i] = name
		} else if p != "" && (len(p) > 1 || i > 0 && parts[0] == "Ctrl") {
			parts[i] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, "+")
}

// shownAll lists an action's keys for the help.
func (act *action) shownAll(a *App) string {
	var names []string
	for _, k := range act.keys {
		if strings.HasPrefix(k, "alt+") && len(act.keys) > 1 && act.place == everywhere && len(k) == 5 {
			continue // the rule "Alt while typing" is told once
		}
		if k == "ctrl+enter" && !a.kittyKeys {
			continue
		}
		names = append(names, shown(k))
	}
	return strings.Join(names, " ")
}

// allActions is the table. Its order is the order of the help and of the footer.
func allActions() []action {
	return slices.Concat(dashActions(), exploreActions(), sqlActions(), tasksActions(), ingestActions(), benchActions(), rangeActions(), commonActions())
}

func commonActions() []action {
	list := []action{
		{"next panel", "focus the next panel or pane; Shift+Tab the one before", []string{"tab", "shift+tab"}, everywhere, false, nil, nil},
		{"move", "move; g and G, Home and End go to the ends", []string{"up", "down", "left", "right", "h", "j", "k", "l"}, everywhere, false, nil, nil},
		{"page", "move by a page", []string{"pgup", "pgdown", "ctrl+u", "ctrl+d"}, everywhere, false, nil, nil},
		{"up", "one step up: close, leave the editor, drop the filter; it never quits", []string{"esc"}, everywhere, false, nil, (*App).escape},
		{"commands", "find any command by name", []string{":", "ctrl+p"}, everywhere, true, nil, (*App).openPalette},
		{"help", "the keys of this place", []string{"?", "f1"}, everywhere, false, nil, (*App).openHelp},
		{"import", "import log files: JSON lines, access logs, logfmt; a file dropped on the window does, too", []string{"i"}, everywhere, false, (*App).noImport, (*App).askImport},
		{"copy", "copy: cell, row, JSON, SQL, what the place offers (OSC 52)", []string{"y", "alt+y"}, everywhere, false, nil, (*App).copyMenu},
		{"stop", "cancel the query or the task in focus; with nothing running, twice quits", []string{"ctrl+c"}, everywhere, false, nil, (*App).interrupt},
		{"mouse", "mouse on or off; Shift+drag selects text while it is on", []string{"f2"}, everywhere, false, nil, (*App).toggleMouse},
		{"responsiveness", "frame time, key to frame, bytes to the terminal", []string{"f12"}, everywhere, false, nil, func(a *App) tea.Cmd { a.hud.on = !a.hud.on; return nil }},
		{"redraw", "draw the whole screen anew", []string{"ctrl+l"}, everywhere, false, nil, func(*App) tea.Cmd { return tea.ClearScreen }},
		{"suspend", "back to the shell; fg comes back", []string{"ctrl+z"}, everywhere, false, nil, func(*App) tea.Cmd { return tea.Suspend }},
		{"quit", "quit; asks when tasks run", []string{"q"}, everywhere, false, nil, (*App).quit},
		{"quit now", "quit without a question; tasks are stopped", []string{"ctrl+q"}, everywhere, false, nil, func(*App) tea.Cmd { return tea.Quit }},
	}
	for _, t := range tabs {
		n := string(rune('0' + t.id))
		list = append(list, action{t.name, "the " + screenNames[t.id] + " screen (Alt+" + n + " while typing)", []string{n, "alt+" + n}, everywhere, false, nil,
			func(a *App) tea.Cmd { return a.show(t.id) }})
	}
	return list
}

var screenNames = map[screenID]string{dashScreen: "dashboard", sqlScreenID: "SQL", tasksScreen: "tasks", ingestScreen: "ingest", exploreScreen: "explore", benchScreen: "bench"}

func (a *App) toggleMouse() tea.Cmd {
	if a.mouse = !a.mouse; a.mouse {
		a.say("mouse on; Shift+drag selects text")
	} else {
		a.say("mouse off: the terminal selects text")
	}
	return nil
}

// escape goes one step up.
func (a *App) escape() tea.Cmd {
	if cmd, done := a.here().escape(); done {
		return cmd
	}
	cmd, _ := a.up()
	return cmd
}
