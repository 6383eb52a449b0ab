package tui

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/signallake/signallake/tui/cell"
)

// Plain writes the dashboard's panels once, as text of at most width columns: for pipes, dumb terminals and screen readers. A panel that
// cannot be had says so in its place, and its error is returned after the rest was written.
func Plain(ctx context.Context, cfg Config, w io.Writer, width int) error {
	a := New(ctx, cfg)
	defer a.Close()
	a.width, a.height = max(width, minWidth), minHeight
	d := a.dash
	extent, err := a.cfg.Panels.Extent(ctx)
	if err != nil {
		return fmt.Errorf("read what the lake covers: %w", err)
	}
	d.extent, d.known = extent, true
	d.resolve()
	d.focus = -1
	if _, err := fmt.Fprintf(w, "SignalLake  %s  %s\n", cell.Clean(a.cfg.DataDir), a.now.UTC().Format("2006-01-02 15:04:05Z")); err != nil {
		return err
	}
	if extent.Events == 0 {
		_, err := fmt.Fprintf(w, "This lake is empty. `generate` makes events to look at; `serve` takes them over HTTP; the console does both.\n")
		return err
	}
	v := d.view
	if _, err := fmt.Fprintf(w, "last %s (%s) of %s events  %s\n\n", words(v.Span), between(v.From, v.To, a.now), count(extent.Events), v.Note); err != nil {
		return err
	}
	var errs []error
	for _, p := range d.panels {
		if err := d.plainPanel(ctx, p, w); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.kind.title, err))
		}
	}
	return errors.Join(errs...)
}

// plainPanel asks for one panel and writes it.
func (d *dashboard) plainPanel(ctx context.Context, p *panel, w io.Writer) error {
	var failed error
	if p.kind.load != nil {
		data, behind, err := p.kind.load(ctx, d.app.cfg.Panels, d.asked())
		if failed = err; err == nil {
			p.data, p.behind, p.of, p.at = data, behind, d.asked(), d.app.now
		} else {
			p.err, p.errAt = err, d.app.now
		}
	}
	h := max(4, p.kind.lines(p)+2)
	if failed == nil && p.kind.rows != nil {
		h = max(4, min(p.rowCount(), 20)+p.headLines()+2)
	}
	c := cell.New(d.app.width, h)
	c.ASCII = d.app.cfg.ASCII
	p.draw(c, c.All(), false)
	if _, err := io.WriteString(w, c.Plain()); err != nil {
		return err
	}
	return failed
}
