package tui

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/tui/cell"
	"github.com/signallake/signallake/tui/widget"
)

// formDialog asks for a task's parameters.
type formDialog struct {
	dialog
	form   *widget.Form
	paths  *completion // of the field that holds paths; nil: there is none
	submit func(f *widget.Form) tea.Cmd
}

func (d *formDialog) key(k tea.KeyPressMsg) tea.Cmd {
	if d.paths != nil {
		if cmd, taken := d.paths.key(k); taken {
			return cmd
		}
	}
	switch k.String() {
	case "esc":
		d.app.close()
	case "enter", "f5", "ctrl+j":
		return d.send()
	default:
		d.form.Key(k)
		if d.paths != nil {
			return d.paths.edited()
		}
	}
	return nil
}

func (d *formDialog) send() tea.Cmd {
	if d.paths != nil {
		d.paths.close()
	}
	if !d.form.Check() {
		return nil
	}
	d.app.close()
	return d.submit(d.form)
}

func (d *formDialog) paste(text string) {
	if d.paths != nil && d.paths.input() != nil {
		d.paths.paste(text)
		return
	}
	d.form.Paste(text)
}

func (d *formDialog) wheel(n int) {
	if d.paths != nil && d.paths.list != nil {
		d.paths.list.Scroll(n / 3)
	}
}

func (d *formDialog) draw(c *cell.Canvas, body cell.Rect) {
	width := 72
	if d.paths != nil {
		width = 96
	}
	r := d.frame(c, body, width, d.form.Len()*2+4)
	in := cell.Rect{X: r.X, Y: r.Y + 1, W: r.W, H: r.H - 2}
	x, y := d.form.Draw(c, in)
	if x >= 0 {
		d.point(x, y)
	}
	d.app.zone(in, func(_, dy int) tea.Cmd {
		if d.form.Click(dy); d.paths != nil {
			d.paths.close()
		}
		return nil
	})
	by := r.Y + r.H - 1
	end := c.Text(r.X, by, " Enter ", cell.OnAccent|cell.Active|cell.Bold)
	end = c.Text(end+1, by, "start", cell.Text)
	d.app.zone(cell.Rect{X: r.X, Y: by, W: end - r.X, H: 1}, func(int, int) tea.Cmd { return d.send() })
	if d.paths != nil {
		d.paths.draw(c, body)
	}
}

func (a *App) askForm(title string, fields []widget.Field, submit func(f *widget.Form) tea.Cmd) tea.Cmd {
	a.push(&formDialog{dialog: dialog{app: a, title: title, hints: "Tab next · Enter start · Esc close"}, form: widget.NewForm(fields), submit: submit})
	return nil
}

// whole checks a whole number within bounds.
func whole(low, high int64) func(string) error {
	return func(s string) error {
		n, err := wholeOf(s)
		if err != nil || n < low || n > high {
			return fmt.Errorf("a whole number from %s to %s", count(low), count(high))
		}
		return nil
	}
}

// wholeOf reads 1000000, 1,000,000, 1_000_000, 250k, 10M.
func wholeOf(s string) (int64, error) {
	s = strings.NewReplacer(",", "", "_", "", " ", "").Replace(s)
	factor := int64(1)
	if n := len(s); n > 1 {
		switch s[n-1] {
		case 'k', 'K':
			factor, s = 1_000, s[:n-1]
		case 'm', 'M':
			factor, s = 1_000_000, s[:n-1]
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n > 1e12 {
		return 0, errors.New("not a whole number")
	}
	return n * factor, nil
}

func (a *App) askGenerate() tea.Cmd {
	start := func(s string) error {
		if strings.TrimSpace(s) == "" {
			return nil
		}
		_, err := lake.ParseInstant(s, a.now)
		if err != nil {
			return errors.New("empty, or an instant: 2026-11-20T00:00:00Z, -7d, yesterday")
		}
		return nil
	}
	return a.askForm("generate events", []widget.Field{
		{Name: "count", Value: "1000000", Hint: "events; 250k and 10M are understood", Check: whole(1, 10_000_000_000)},
		{Name: "seed", Value: "7", Hint: "the same seed makes the same events", Check: func(s string) error {
			if _, err := strconv.ParseUint(strings.TrimSpace(s), 10, 64); err != nil {
				return errors.New("a whole number from 0 on")
			}
			return nil
		}},
		{Name: "days", Value: "7", Hint: "the time that they are spread over", Check: whole(1, 3650)},
		{Name: "services", Value: "8", Hint: "how many services send them", Check: whole(1, 1000)},
		{Name: "start", Value: "", Hint: "empty: they end now", Check: start},
	}, func(f *widget.Form) tea.Cmd { return a.startGenerate(f) })
}

func (a *App) startGenerate(f *widget.Form) tea.Cmd {
	n, _ := wholeOf(f.Value("count"))
	days, _ := wholeOf(f.Value("days"))
	services, _ := wholeOf(f.Value("services"))
	seed, _ := strconv.ParseUint(strings.TrimSpace(f.Value("seed")), 10, 64)
	p := GenerateParams{Count: n, Seed: seed, Days: int(days), Services: int(services)}
	if text := strings.TrimSpace(f.Value("start")); text != "" {
		at, _ := lake.ParseInstant(text, a.now)
		p.Start = at.Time().Format(time.RFC3339)
	}
	run := a.cfg.Tasks.Generate
	return a.start(fmt.Sprintf("generate %s seed %d", count(n), seed), func(ctx context.Context, progress *lake.Progress) (string, error) {
		return run(ctx, p, progress)
	})
}

func (a *App) askConvert() tea.Cmd {
	return a.askForm("convert", []widget.Field{
		{Name: "layout", Value: "partitioned", Choices: []string{"partitioned", "unpartitioned", "both"}, Hint: "← → choose; unpartitioned: a twin for the benchmark"},
	}, func(f *widget.Form) tea.Cmd {
		layout, run := f.Value("layout"), a.cfg.Tasks.Convert
		return a.start("convert "+layout, func(ctx context.Context, progress *lake.Progress) (string, error) {
			return run(ctx, layout, progress)
		})
	})
}
