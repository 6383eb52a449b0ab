package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/tui/cell"
	"github.com/signallake/signallake/tui/widget"
)

// openPalette lists every command of the console, those of this place first, with their keys and, when off, why. A name stands there once:
// what is at hand goes before its namesakes elsewhere, and of those each place is told.
func (a *App) openPalette() tea.Cmd {
	var here, elsewhere []choice
	at := a.places()
	taken, row := map[string]bool{}, map[string]int{}
	entry := func(act *action) choice {
		ch := choice{widget.Item{Label: act.label, Detail: act.help, Key: shown(act.keys[0])}, func() tea.Cmd { return act.run(a) }}
		if act.off != nil {
			ch.Off = act.off(a)
		}
		return ch
	}
	for i := range a.actions {
		if act := &a.actions[i]; act.run != nil && act.place&at != 0 && !taken[act.label] {
			taken[act.label] = true
			here = append(here, entry(act))
		}
	}
	for i := range a.actions {
		act := &a.actions[i]
		if act.run == nil || act.place&at != 0 || taken[act.label] {
			continue
		}
		where := placeName(act.place)
		if i, ok := row[act.label]; ok {
			if other := &elsewhere[i]; strings.HasPrefix(other.Off, "only ") && !strings.Contains(other.Off, where) {
				other.Off += ", " + where
			}
			continue
		}
		ch := entry(act)
		if ch.Off == "" {
			ch.Off = "only " + where
		}
		row[act.label] = len(elsewhere)
		elsewhere = append(elsewhere, ch)
	}
	p := newPicker(a, "commands", append(here, elsewhere...))
	p.prompt, p.width, p.list.Wrap = ":", 96, true
	a.push(p)
	return nil
}

// placeName says where an action is at hand.
func placeName(p place) string {
	switch {
	case p&onPanels != 0:
		return "on the dashboard (1)"
	case p&onEmpty != 0:
		return "on an empty lake"
	case p&(onGrid|onSide|inEditor) != 0 && p&inEditor == 0:
		return "in the SQL screen's result (3, Esc)"
	case p&inEditor != 0:
		return "in the SQL screen (3)"
	case p&onTasks != 0:
		return "on the tasks screen (4)"
	case p&(onIngest|onLetters) != 0:
		return "on the ingest screen (5)"
	case p&(onExplore|onFacets|inFilter) != 0:
		return "on the explore screen (2)"
	case p&onBench != 0:
		return "on the bench screen (6)"
	}
	return "elsewhere"
}

// openHelp lists the keys of this place, made from the table that the keys themselves come from.
func (a *App) openHelp() tea.Cmd {
	at := a.here().places()
	choices := []choice{{Item: widget.Item{Label: "this place", Head: true}}}
	row := func(act *action) choice {
		ch := choice{Item: widget.Item{Label: act.shownAll(a), Detail: act.help, Search: act.label}}
		if act.off != nil {
			if why := act.off(a); why != "" {
				ch.Detail += " (off: " + why + ")"
			}
		}
		if act.run != nil {
			ch.run = func() tea.Cmd { return a.do(act) }
		}
		return ch
	}
	taken := map[string]bool{}
	for i := range a.actions {
		if act := &a.actions[i]; act.place != everywhere && act.place&at != 0 {
			choices = append(choices, row(act))
			for _, k := range act.keys {
				taken[k] = true
			}
		}
	}
	choices = append(choices, choice{Item: widget.Item{Label: "everywhere", Head: true}})
	for i := range a.actions {
		if act := &a.actions[i]; act.place == everywhere && slices.ContainsFunc(act.keys, func(k string) bool { return !taken[k] }) { // else it means something else here
			choices = append(choices, row(act))
		}
	}
	p := newPicker(a, "help: the keys of this place", choices)
	p.labelW, p.width, p.list.Wrap = min(p.labelW, 24), 96, true
	p.prompt = "search"
	a.push(p)
	return nil
}

// rangeActions are the keys of the time range.
func rangeActions() []action {
	return []action{
		{"range", "time range: 15m 1h 6h 24h 7d, or words (-3h, yesterday 14:00)", []string{"t"}, onRange, true, nil, (*App).openRange},
		{"earlier", "shift the window back by half its length", []string{","}, onRange, false, nil, func(a *App) tea.Cmd { return a.setRange(a.window.span.shift(a.window.view, false, a.now)) }},
		{"later", "shift the window forward", []string{"."}, onRange, false, nil, func(a *App) tea.Cmd { return a.setRange(a.window.span.shift(a.window.view, true, a.now)) }},
		{"zoom in", "half the time", []string{"+", "="}, onRange, false, nil, func(a *App) tea.Cmd { return a.setRange(a.window.span.zoom(a.window.view, true)) }},
		{"zoom out", "double the time", []string{"-", "_"}, onRange, false, nil, func(a *App) tea.Cmd { return a.setRange(a.window.span.zoom(a.window.view, false)) }},
	}
}

// openRange is the menu of time ranges; what is typed is a range, too.
func (a *App) openRange() tea.Cmd {
	var choices []choice
	for _, preset := range []struct {
		key  string
		span time.Duration
	}{{"15m", 15 * time.Minute}, {"1h", time.Hour}, {"6h", 6 * time.Hour}, {"24h", 24 * time.Hour}, {"7d", 7 * 24 * time.Hour}} {
		choices = append(choices, choice{widget.Item{Label: preset.key, Detail: "the last " + words(preset.span)},
			func() tea.Cmd { return a.setRange(timeRange{Span: preset.span, Chosen: true}) }})
	}
	if e := a.window.extent; e.Events > 0 {
		length := time.Duration(e.Last-e.First) * time.Microsecond
		choices = append(choices, choice{widget.Item{Label: "all", Detail: fmt.Sprintf("%s – %s, %s events", day(e.First), day(e.Last-1), short(float64(e.Events)))},
			func() tea.Cmd {
				return a.setRange(timeRange{Span: min(max(length, minSpan), maxSpan), End: e.Last, Chosen: true})
			}})
	}
	choices = append(choices, choice{widget.Item{Label: "auto", Detail: "fit the data: the last hour, or the last 24 h of old data"}, func() tea.Cmd { return a.setRange(timeRange{}) }})
	p := newPicker(a, "time range", choices)
	p.width, p.prompt = 72, "range"
	p.hints = "-3h · yesterday 14:00 · 2026-11-20 13:00 .. 15:00 · UTC"
	p.typed = func(text string) (string, func() tea.Cmd, error) {
		r, err := parseRange(text, a.now)
		if err != nil {
			return "", nil, err
		}
		v := r.resolve(a.now, a.window.extent)
		return words(v.Span) + ", " + between(v.From, v.To, a.now), func() tea.Cmd { return a.setRange(r) }, nil
	}
	a.push(p)
	return nil
}

// copyItem is something that `y` can put on the clipboard.
type copyItem struct {
	key, label, text string
}

func (a *App) copyMenu() tea.Cmd {
	items := a.here().copies()
	if len(items) == 0 {
		a.say("nothing to copy here")
		return nil
	}
	a.pushCopies(items)
	return nil
}

// pushCopies offers things to copy by one letter each.
func (a *App) pushCopies(items []copyItem) {
	var choices []choice
	letters := map[string]int{}
	for i, item := range items {
		letters[item.key] = i
		choices = append(choices, choice{widget.Item{Label: item.key + "  " + item.label, Detail: firstLine(item.text)}, func() tea.Cmd { return a.clip(item) }})
	}
	p := newPicker(a, "copy", choices)
	p.letters, p.width, p.hints = letters, 72, "a letter or Enter · Esc close"
	a.push(p)
}

// clip puts text on the terminal's clipboard, without anything that a shell or a terminal would obey.
func (a *App) clip(item copyItem) tea.Cmd {
	text := cell.Clean(item.text)
	a.say(fmt.Sprintf("copied %s, %s (if nothing arrives, the terminal does not allow OSC 52)", item.label, size(int64(len(text)))))
	return tea.SetClipboard(text)
}

func firstLine(s string) string {
	for i, r := range s {
		if r == '\n' {
			return s[:i] + " …"
		}
	}
	return s
}
