package tui

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/signallake/signallake/tui/cell"
)

// hud measures how quickly the console answers: F12 shows it.
type hud struct {
	on      bool
	frames  []time.Duration // the newest hudSamples draws
	keys    []time.Duration // from a key's arrival to the end of the next draw
	waiting time.Time       // a key came and nothing was drawn since
	output  *atomic.Int64   // bytes written to the terminal; nil: not counted
	before  int64
	at      time.Time
	perSec  float64
}

// hudSamples is how many measurements the percentiles are taken from: about a minute of use.
const hudSamples = 128

func (h *hud) pressed(now time.Time) {
	if h.waiting.IsZero() {
		h.waiting = now
	}
}

func (h *hud) drawn(took time.Duration, now time.Time) {
	h.frames = keepLast(h.frames, took)
	if !h.waiting.IsZero() {
		h.keys = keepLast(h.keys, now.Sub(h.waiting))
		h.waiting = time.Time{}
	}
}

func keepLast(list []time.Duration, d time.Duration) []time.Duration {
	if len(list) >= hudSamples {
		list = slices.Delete(list, 0, 1)
	}
	return append(list, d)
}

// second samples the bytes written, once a tick.
func (h *hud) second(now time.Time) {
	if h.output == nil {
		return
	}
	total := h.output.Load()
	if s := now.Sub(h.at).Seconds(); s > 0 && !h.at.IsZero() {
		h.perSec = float64(total-h.before) / s
	}
	h.before, h.at = total, now
}

func percentiles(list []time.Duration) (p50, p95 time.Duration) {
	if len(list) == 0 {
		return 0, 0
	}
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2], sorted[min(len(sorted)*95/100, len(sorted)-1)]
}

func (a *App) drawHUD() {
	f50, f95 := percentiles(a.hud.frames)
	k50, k95 := percentiles(a.hud.keys)
	lines := []string{
		fmt.Sprintf("frame  p50 %s  p95 %s", f50.Round(10*time.Microsecond), f95.Round(10*time.Microsecond)),
		fmt.Sprintf("key    p50 %s  p95 %s (to the end of drawing)", k50.Round(10*time.Microsecond), k95.Round(10*time.Microsecond)),
		fmt.Sprintf("screen %d x %d", a.width, a.height),
	}
	if a.hud.output != nil {
		lines = append(lines, fmt.Sprintf("output %s/s", size(int64(a.hud.perSec))))
	}
	const w = 52
	r := cell.Rect{X: a.width - w - 1, Y: 2, W: w, H: len(lines) + 2}
	a.canvas.Box(r, "responsiveness", false, false)
	for i, line := range lines {
		a.canvas.TextCut(r.X+2, r.Y+1+i, w-4, line, cell.Muted)
	}
}
