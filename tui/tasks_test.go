package tui

import (
	"context"
	"github.com/signallake/signallake/lake"
	"testing"
)

func TestQuitAsksWhileTasksRun(t *testing.T) {
	f := newFake()
	entered := make(chan struct{}, 1)
	f.tasks.Verify = func(ctx context.Context, _ *lake.Progress) (string, error) {
		entered <- struct{}{}
		<-ctx.Done()
		return "", ctx.Err()
	}
	d := drive(t, f, 80, 24)
	d.press("4", "a")
	d.send(key("v"))
	<-entered
	d.send(key("q"))
	d.wants("1 task would be stopped: verify")
	d.send(key("n"))
	d.lacks("would be stopped")
	d.send(key("ctrl+c"))
	d.settle()
	d.elapse(tickEvery)
	d.wants("○ verify", "cancelled; nothing half-done is visible")
	d.press("q")
	if !d.quit {
		t.Error("q did not quit with nothing running")
	}
}

func TestTaskPanicIsAFailedTask(t *testing.T) {
	f := newFake()
	f.tasks.Verify = func(context.Context, *lake.Progress) (string, error) { panic("out of luck") }
	d := drive(t, f, 120, 36)
	d.press("4", "a", "v")
	d.elapse(tickEvery)
	d.wants("× verify", "a bug ended this task: out of luck")
}

func TestFormChecksAndStarts(t *testing.T) {
	f := newFake()
	var got GenerateParams
	f.tasks.Generate = func(_ context.Context, p GenerateParams, _ *lake.Progress) (string, error) { got = p; return "ok", nil }
	d := drive(t, f, 80, 24)
	d.press("4", "a", "g", "ctrl+u", "text:many", "enter")
	d.wants("a whole number from 1")
	d.press("ctrl+u", "text:250k", "tab", "ctrl+u", "text:42", "enter")
	if got.Count != 250_000 || got.Seed != 42 || got.Days != 7 || got.Services != 8 {
		t.Errorf("generate got %+v", got)
	}
	d.elapse(tickEvery)
	d.wants("generate 250,000 seed 42")
	d.press("R")
	d.elapse(tickEvery)
	if got := len(d.app.jobs); got != 2 {
		t.Errorf("%d jobs after a rerun, want 2", got)
	}
}

func TestReadOnlySaysWhy(t *testing.T) {
	d := drive(t, newFake().readOnly(), 120, 36)
	d.wants("read-only")
	d.press("4")
	d.wants("off: serve (process 4711) owns this lake")
	d.press("5")
	d.wants("serve (process 4711)", "this console follows")
	d.press(":", "text:copy curl")
	d.wants("off: the ingest API does not run here")
}

func TestPaletteRunsAndExplains(t *testing.T) {
	d := drive(t, newFake(), 120, 36)
	d.press("ctrl+p", "text:ingest screen", "enter")
	d.wants("last requests")
	d.press(":", "text:zoom in")
	d.wants("off: only on the dashboard (1)")
	d.press("enter")
	d.wants("zoom in: only on the dashboard (1)")
}
