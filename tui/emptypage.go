package tui

import (
	"context"
	"fmt"
	"math"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/tui/cell"
	"github.com/signallake/signallake/tui/chart"
)

// The demo lake: enough for every panel to have something to say, made in some seconds.
const (
	demoCount    = 1_000_000
	demoSeed     = 7
	demoDays     = 7
	demoServices = 8
)

// demo makes a lake to look around in: one task that generates and converts.
func (a *App) demo() tea.Cmd {
	for _, j := range a.jobs {
		if !j.Ended() && j.Title == demoTitle {
			a.say("the demo lake is in the making")
			return nil
		}
	}
	tasks := a.cfg.Tasks
	return a.start(demoTitle, func(ctx context.Context, progress *lake.Progress) (string, error) {
		made, err := tasks.Generate(ctx, GenerateParams{Count: demoCount, Seed: demoSeed, Days: demoDays, Services: demoServices}, progress)
		if err != nil {
			return "", err
		}
		converted, err := tasks.Convert(ctx, "partitioned", progress)
		if err != nil {
			return "", fmt.Errorf("%s; then: %w", made, err)
		}
		return made + "; " + converted, nil
	})
}

const demoTitle = "demo lake"

// noAPI tells why events cannot be posted; "" when they can.
func (a *App) noAPI() string {
	if a.api.Addr == "" || a.api.Err != "" {
		return "the ingest API does not run here"
	}
	return ""
}

// curl is a line that sends one event, ready for a shell.
func (a *App) curl() string {
	return fmt.Sprintf(`curl -s%s %s/ingest -H 'content-type: application/json' -d '%s'`, a.api.CurlOptions(), a.api.URL(), a.sampleEvent())
}

// sampleEvent is of the minute at hand, so that it is accepted and seen at once, and stands still on the screen.
func (a *App) sampleEvent() string {
	return fmt.Sprintf(`{"timestamp":"%s","service_name":"checkout","endpoint":"/pay","status_code":200,"latency_ms":12.5}`, a.now.UTC().Truncate(time.Minute).Format(time.RFC3339))
}

// drawEmpty is the dashboard without data: loading, failed, or empty and leading on.
func (d *dashboard) drawEmpty(c *cell.Canvas, r cell.Rect) {
	a := d.app
	in := cell.Rect{X: r.X + 3, Y: r.Y + 1, W: min(r.W-6, 108), H: r.H - 1}
	switch {
	case !d.known && d.extentOf.err != nil:
		y := in.Y
		for _, line := range cell.Wrap("× "+d.extentOf.err.Error(), in.W) {
			c.Text(in.X, y, line, cell.Bad)
			y++
		}
		c.TextCut(in.X, y, in.W, d.extentOf.retryHint(), cell.Muted)
		return
	case !d.known || a.fresh.Loading:
		c.TextCut(in.X, in.Y, in.W, cell.Spinner(a.ticks)+" reading the lake in "+a.cfg.DataDir, cell.Muted)
		if l := a.fresh.Load; l.Total > 0 {
			chart.Progress(c, in.X, in.Y+1, min(in.W, 60), float64(l.Done)/float64(l.Total), cell.Accent)
			c.TextCut(in.X, in.Y+2, in.W, "loading "+loadWords(l), cell.Muted)
			c.TextCut(in.X, in.Y+4, in.W, "events are taken and kept meanwhile", cell.Faint)
		}
		return
	}
	y := in.Y
	line := func(s string, style cell.Style) {
		for _, part := range cell.Wrap(s, in.W) {
			if y < in.Y+in.H {
				c.Text(in.X, y, part, style)
			}
			y++
		}
	}
	line("This lake is empty.", cell.Text|cell.Bold)
	line("data folder  "+a.cfg.DataDir, cell.Muted)
	if words := a.refusedWords(); words != "" {
		a.zone(cell.Rect{X: in.X, Y: y, W: in.W, H: 1}, func(int, int) tea.Cmd { return a.open(ingestScreen) })
		line("× "+words+": screen 5 tells why", cell.Bad)
	}
	y++
	y = d.drawSteps(c, in, y)
	y++
	y = d.drawPost(c, in, y)
	y++
	if y+1 < in.Y+in.H {
		x := c.Text(in.X, y, "?", cell.Accent|cell.Bold)
		c.Text(x+1, y, "the keys of this place", cell.Muted)
		x = c.Text(in.X+28, y, ":", cell.Accent|cell.Bold)
		c.Text(x+1, y, "every command", cell.Muted)
	}
}

// drawSteps shows how far a task is that fills the lake, or offers those that would.
func (d *dashboard) drawSteps(c *cell.Canvas, in cell.Rect, y int) int {
	a := d.app
	for _, j := range a.jobs {
		if j.Ended() && j.State != Failed {
			continue
		}
		look := cell.Accent
		if j.State == Failed {
			look = cell.Bad
		}
		x := c.Text(in.X, y, jobSign(j, a.ticks)+" "+j.Title, look|cell.Bold)
		c.TextCut(x+2, y, in.X+in.W-x-2, jobWords(j), cell.Muted)
		y++
		if !j.Ended() {
			if j.Progress.Total > 0 {
				chart.Progress(c, in.X, y, min(in.W, 60), float64(j.Progress.Done)/float64(j.Progress.Total), cell.Accent)
			}
			return y + 1
		}
		break // the newest one that failed, and what can be done instead
	}
	tasks := a.cfg.Tasks
	y = d.drawStep(c, in, y, "d", "make a demo lake", a.off(tasks.Generate != nil && tasks.Convert != nil), a.demo,
		fmt.Sprintf("%s events of %d services over %d days, then converted to Parquet", count(demoCount), demoServices, demoDays))
	return d.drawStep(c, in, y, "i", "import log files", a.noImport(), a.askImport, "JSON lines, access logs, logfmt, .gz and .zst too; or drop a file here")
}

// drawStep offers one thing to do by a key or a click.
func (d *dashboard) drawStep(c *cell.Canvas, in cell.Rect, y int, key, label, off string, run func() tea.Cmd, detail string) int {
	if off != "" {
		c.TextCut(in.X, y, in.W, key+"  "+label+": "+off, cell.Faint)
		return y + 1
	}
	x := c.Text(in.X, y, " "+key+" ", cell.OnAccent|cell.Active|cell.Bold)
	end := c.Text(x+1, y, label, cell.Text|cell.Bold)
	d.app.zone(cell.Rect{X: in.X, Y: y, W: end - in.X, H: 1}, func(int, int) tea.Cmd { return run() })
	c.TextCut(in.X+4, y+1, in.W-4, detail, cell.Muted)
	return y + 2
}

// drawPost tells where events can be posted to, with a line to paste.
func (d *dashboard) drawPost(c *cell.Canvas, in cell.Rect, y int) int {
	a := d.app
	if a.noAPI() != "" {
		for _, line := range cell.Wrap("× "+a.api.Err, in.W) {
			c.Text(in.X, y, line, cell.Warn)
			y++
		}
		return y
	}
	x := c.Text(in.X, y, " y ", cell.OnAccent|cell.Active|cell.Bold)
	x = c.Text(x+1, y, "send events to ", cell.Text|cell.Bold)
	c.Text(x, y, a.api.URL()+"/ingest", cell.Accent)
	a.zone(cell.Rect{X: in.X, Y: y, W: in.W, H: 1}, func(int, int) tea.Cmd { return a.clip(copyItem{"", "the curl line", a.curl()}) })
	c.TextCut(in.X+4, y+1, in.W-4, "one event here, many to /ingest/batch; 200 means on disk. y copies:", cell.Muted)
	y += 3
	for _, line := range a.curlLines(in.W - 4) {
		c.TextCut(in.X+4, y, in.W-4, line, cell.Literal)
		y++
	}
	return y
}

// curlLines is the curl line broken where a shell allows it.
func (a *App) curlLines(w int) []string {
	if whole := a.curl(); cell.Width(whole) <= w {
		return []string{whole}
	}
	event := a.sampleEvent()
	head := []string{fmt.Sprintf(`curl -s %s/ingest \`, a.api.URL())}
	if options := a.api.CurlOptions(); options != "" {
		head = append(head, " "+options+` \`)
	}
	head = append(head, `  -H 'content-type: application/json' \`)
	if body := "  -d '" + event + "'"; cell.Width(body) <= w {
		return append(head, body)
	}
	cut := int(math.Min(float64(len(event)), float64(w-7)))
	for cut > 0 && event[cut-1] != ',' {
		cut--
	}
	return append(head, "  -d '"+event[:cut], "      "+event[cut:]+"'")
}
