package tui

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/ingest/replay"
	"github.com/signallake/signallake/tui/cell"
	"github.com/signallake/signallake/tui/chart"
)

func (d *replayDialog) draw(c *cell.Canvas, body cell.Rect) {
	h := 15
	if d.form != nil {
		h += 8
	}
	r := d.frame(c, body, 116, h)
	y := r.Y
	for _, line := range firstLines(wrapped("", d.set.name, 0, r.W, cell.Warn), 2) {
		c.TextCut(r.X, y, r.W, line.text, line.style)
		y++
	}
	foot := r.Y + r.H - 1
	if d.form != nil {
		rows := 2 * d.form.Len()
		if r.H < rows+12 {
			rows = d.form.Len() + 1 // one hint, of the field at hand
		}
		in := cell.Rect{X: r.X, Y: y, W: r.W, H: rows}
		if x, at := d.form.Draw(c, in); x >= 0 {
			d.point(x, at)
		}
		d.app.zone(in, func(_, dy int) tea.Cmd { d.form.Click(dy); return nil })
		y += rows
	}
	d.drawOutcome(c, cell.Rect{X: r.X, Y: y + 1, W: r.W, H: foot - y - 2})
	d.drawButtons(c, cell.Rect{X: r.X, Y: foot, W: r.W, H: 1})
}

// drawOutcome shows what the dry run says. What it said of other rules is dimmed.
func (d *replayDialog) drawOutcome(c *cell.Canvas, r cell.Rect) {
	old := c.Clip(r)
	defer c.Restore(old)
	report := d.ready()
	rules, err := d.rules()
	switch {
	case err != nil:
		c.TextCut(r.X, r.Y, r.W, "the dry run waits for the rules: "+err.Error(), cell.Muted)
	case report != nil:
		d.drawReport(c, r, report)
		return
	case d.err != nil && d.tried == ruleWords(rules):
		y := r.Y
		for _, line := range firstLines(wrapped("", "× "+d.err.Error(), 0, r.W, cell.Bad), r.H-1) {
			c.Text(r.X, y, line.text, line.style)
			y++
		}
		c.TextCut(r.X, y, r.W, "nothing was changed; Enter tries again", cell.Muted)
		return
	default:
		d.drawProgress(c, r)
	}
	if d.report != nil {
		rest := cell.Rect{X: r.X, Y: r.Y + 1, W: r.W, H: r.H - 1}
		d.drawReport(c, rest, d.report)
		c.Dim(rest)
	}
}

func (d *replayDialog) drawProgress(c *cell.Canvas, r cell.Rect) {
	x := c.Text(r.X, r.Y, cell.Spinner(d.app.ticks)+" dry run of "+d.set.count(), cell.Muted)
	if p := d.progress.Snapshot(); p.Total > 0 {
		x = c.Text(x, r.Y, fmt.Sprintf(", %s of %s ", short(float64(p.Done)), short(float64(p.Total))), cell.Muted)
		if w := min(30, r.X+r.W-x); w > 5 {
			chart.Progress(c, x, r.Y, w, float64(p.Done)/float64(p.Total), cell.Accent)
		}
	}
}

// drawReport is the counts, the reasons of what is refused still, and a letter before and after.
func (d *replayDialog) drawReport(c *cell.Canvas, r cell.Rect, report *replay.Report) {
	sign, style := "✓", cell.Good
	switch {
	case report.Accepted+report.Duplicates == 0:
		sign, style = "×", cell.Bad
	case report.Refused > 0:
		sign, style = "!", cell.Warn
	}
	y := r.Y
	put := func(x int, text string, style cell.Style) {
		if y < r.Y+r.H {
			c.TextCut(r.X+x, y, r.W-x, text, style)
		}
		y++
	}
	put(0, sign+" "+outcome(report), style|cell.Bold)
	const most = 3
	for _, p := range report.Problems[:min(len(report.Problems), most)] {
		put(2, cell.PadLeft(count(p.Letters), 7)+"  "+reasonOf(p.Field, p.Reason), cell.Text)
	}
	if n := len(report.Problems) - most; n > 0 {
		put(2, cell.PadLeft("", 7)+"  and "+counted(int64(n), "other reason"), cell.Muted)
	}
	if more := ruleWords(d.more()); more != "" {
		d.app.zone(cell.Rect{X: r.X, Y: y, W: r.W, H: 1}, func(int, int) tea.Cmd { return d.addMore() })
		put(2, "Ctrl+N adds: "+more, cell.Accent)
	}
	for _, note := range report.Notes {
		put(2, "! "+note, cell.Warn)
	}
	y++
	for _, l := range sampleLines(report.Samples, d.keysAtHand(), r.W, r.Y+r.H-y) {
		put(0, l.text, l.style)
	}
}

// keysAtHand are the keys that the rules and the reasons speak of: of a letter these are shown first.
func (d *replayDialog) keysAtHand() []string {
	rules, _ := d.rules()
	keys := ruledKeys(rules)
	for i := range d.set.groups {
		keys = append(keys, d.set.groups[i].Field)
	}
	return keys
}

// sampleLines are letters before and after: first one that is accepted, then one that is not, each in the lines that it needs as far as there is room.
func sampleLines(samples []replay.Sample, keys []string, w, room int) []readerLine {
	good := slices.IndexFunc(samples, func(s replay.Sample) bool { return s.After != "" })
	bad := slices.IndexFunc(samples, func(s replay.Sample) bool { return s.After == "" })
	texts := 0
	for _, i := range []int{good, good, bad, bad} {
		texts += boolInt(i >= 0)
	}
	var lines []readerLine
	add := func(label, text string, style cell.Style) {
		piece := named(label, text, w, max(1, (room-len(lines))/max(1, texts)), style)
		lines, texts = append(lines, piece...), texts-1
	}
	if good >= 0 && room > 1 {
		add("before  ", leading(samples[good].Before, keys), cell.Muted)
		add("after   ", leading(samples[good].After, keys), cell.Good)
	}
	if bad >= 0 && room-len(lines) > 1 {
		add("before  ", leading(samples[bad].Before, keys), cell.Muted)
		add("refused ", samples[bad].Problem, cell.Bad)
	}
	return lines
}

// named is text at a label, at most n lines of it.
func named(label, text string, w, n int, style cell.Style) []readerLine {
	if most := 4 * w * n; len(text) > most { // more does not fit, whatever its characters
		text = text[:most] + "…"
	}
	lines := firstLines(wrapped("", text, 0, w-len(label), style), n)
	for i := range lines {
		lead := label
		if i > 0 {
			lead = strings.Repeat(" ", len(label))
		}
		lines[i].text = lead + lines[i].text
	}
	return lines
}

// drawButtons is the dialog's last line: what can be done now.
func (d *replayDialog) drawButtons(c *cell.Canvas, r cell.Rect) {
	x := r.X
	button := func(key, label string, run func() tea.Cmd) {
		from := x
		x = c.Text(x, r.Y, " "+key+" ", cell.OnAccent|cell.Active|cell.Bold)
		x = c.Text(x+1, r.Y, label, cell.Text)
		d.app.zone(cell.Rect{X: from, Y: r.Y, W: x - from, H: 1}, func(int, int) tea.Cmd { return run() })
		x += 3
	}
	if report := d.ready(); report != nil && report.Accepted+report.Duplicates > 0 {
		button(map[bool]string{true: "y", false: "Enter"}[d.form == nil], "replay "+count(report.Accepted+report.Duplicates), d.send)
	}
	if d.form == nil {
		button("F", "fix first", func() tea.Cmd { return d.key(tea.KeyPressMsg{Code: 'F', Text: "F"}) })
		button("n", "stay", func() tea.Cmd { d.app.close(); return nil })
		return
	}
	button("Esc", "close", func() tea.Cmd { d.app.close(); return nil })
	c.TextCut(x, r.Y, r.X+r.W-x, "F1 keys", cell.Muted)
}
