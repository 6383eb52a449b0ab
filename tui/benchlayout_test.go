package tui

import (
	"context"
	"testing"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql/bench"
)

func TestLayoutFromEmptyToReport(t *testing.T) {
	f := newFake()
	var got LayoutParams
	f.tasks.Layout = func(_ context.Context, p LayoutParams, _ *lake.Progress) (*bench.Layouts, error) {
		got = p
		l := fakeLayouts(fakeNow, p.Events, p.Cold, 1)
		return &l, nil
	}
	d := drive(t, f, 160, 45)
	d.press("6", "shift+tab")
	d.wants("Bench › layout", "No benchmark has run yet", "which keys are folders", "run a benchmark")
	d.press("a", "ctrl+u", "text:250k", "tab", "ctrl+u", "text:9", "tab", "right", "enter")
	if want := (LayoutParams{Events: 250_000, Rounds: 9, Cold: true}); got != want {
		t.Errorf("the benchmark got %+v, want %+v", got, want)
	}
	d.elapse(tickEvery)
	d.wants("250,000 events of 8 services", "warm: folders", "cold: folders", "date/service/status", "of base", "1.95x", "0.55x", "warm: files a partition", "×", "at once, warm", "960")
	d.press("4", "enter")
	d.wants("250k events in 5 ways; the fastest: date/service, 1.10ms", "Enter: look at the report")
	d.press("esc", "6", "tab", "tab", "tab")
	d.wants("Bench › layout", "warm: folders")
}

func TestLayoutCompares(t *testing.T) {
	f := newFake()
	for i, slow := range []float64{1, 1.5} {
		f.layouts = append(f.layouts, fakeLayouts(fakeNow.AddDate(0, 0, -i), 1_000_000, false, slow))
	}
	d := drive(t, f, 120, 36)
	d.press("6", "tab", "tab")
	d.wants("report 1 of 2", "compared with 2026-11-20", "vs last", "no cold runs: it was not asked for")
	d.press("left")
	d.wants("report 2 of 2")
	d.lacks("vs last")
	if text := d.app.bench.copies()[0].text; len(text) < 500 {
		t.Errorf("the Markdown is %s", text)
	}
}
