package tui

import (
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/tui/cell"
)

// fakeBacklog is a lake that does not keep up: the panels fall behind, and so many bytes wait for their conversion.
func fakeBacklog(bytes int64) []lake.Stage {
	return []lake.Stage{
		{Name: lake.StageAccepted, Events: 9_400_112, InPerSec: 412_000, PerSec: 412_000},
		{Name: lake.StageQueued, Events: 262_144, Bytes: 112 << 20, Wait: 640 * time.Millisecond, InPerSec: 412_000, PerSec: 412_000, Drain: 636 * time.Millisecond},
		{Name: lake.StageRaw, Events: 21_400_112, Bytes: 9 << 30, InPerSec: 412_000, PerSec: 412_000},
		{Name: lake.StageUnread, Events: 120_000, Wait: 300 * time.Millisecond, InPerSec: 412_000, PerSec: 411_000, Drain: -1},
		{Name: lake.StageUnsummarised, Events: 1_240_000, Wait: 3 * time.Second, InPerSec: 412_000, PerSec: 300_000, Drain: -1},
		{Name: lake.StageUnconverted, Events: bytes / 470, Bytes: bytes, Wait: 2 * time.Minute, InPerSec: 412_000, PerSec: 392_000, Drain: -1, Starts: 64 << 20, Limit: 4 << 30},
	}
}

func TestChainLine(t *testing.T) {
	f := func(stages []lake.Stage, w int, want string) {
		t.Helper()
		links, form := fitChain(chainLinks(stages), w)
		var parts []string
		for _, l := range links {
			parts = append(parts, l.forms[form])
		}
		got := strings.Join(parts, chainArrow)
		if got != want || got != "" && chainWidth(links, form) != cell.Width(got) {
			t.Errorf("in %d columns:\n%s\nwant\n%s", w, got, want)
		}
	}
	calm, behind := newFake().chain, fakeBacklog(1<<30)
	f(nil, 80, "")
	f(calm, 80, "in 12.4k/s > queue 312 > panels 300ms > unconverted 1,204 100ms")
	f(calm, 60, "12.4k/s > q 312 > panels 300ms > unconv 1,204")
	f(calm, 30, "12.4k/s > q 312 > unconv 1,204") // what is well goes first, but for what is always there
	f(calm, 29, "12.4k/s > unconv 1,204")
	f(calm, 20, "unconv 1,204")
	f(behind, 90, "in 412k/s > queue 262k > SQL 120k 300ms > ▲ panels 3s > ▲ unconverted 2.3M 2m")
	f(behind, 40, "412k/s > ▲ panels 3s > ▲ unconv 2.3M") // trouble stays
	f(behind, 34, "in 412k/s > ▲ unconverted 2.3M 2m")    // what comes in, and the link that ends in refusals
	f(fakeBacklog(3<<30), 20, "! unconv 6.9M")
	f(fakeBacklog(3<<30), 40, "412k/s > ▲ panels 3s > ! unconv 6.9M")
}

func TestStageWords(t *testing.T) {
	f := func(s lake.Stage, want string, wantStyle cell.Style) {
		t.Helper()
		if got, style := stageWords(&s); got != want || style != wantStyle {
			t.Errorf("%+v: %q (%v), want %q (%v)", s, got, style, want, wantStyle)
		}
	}
	hot := func(bytes int64, in, out float64) lake.Stage {
		return lake.Stage{Name: lake.StageUnconverted, Events: bytes / 1024, Bytes: bytes, InPerSec: in, PerSec: out, Drain: -1, Starts: 64 << 20, Limit: 4 << 30}
	}
	f(lake.Stage{Name: lake.StageRaw, Events: 5}, "", cell.Muted)
	f(lake.Stage{Name: lake.StageUnread}, "✓", cell.Good)
	f(lake.Stage{Name: lake.StageUnread, Events: 5, PerSec: 2, Drain: 2500 * time.Millisecond}, "2s", cell.Text)
	f(lake.Stage{Name: lake.StageUnread, Events: 5, Drain: -1}, "–", cell.Muted)
	f(lake.Stage{Name: lake.StageUnsummarised, Events: 5000, Wait: 3 * time.Second, InPerSec: 2400, PerSec: 1200, Drain: -1}, "▲ growing +1,200/s", cell.Warn|cell.Bold)
	f(hot(1<<20, 2400, 0), "gathers up to 64 MB", cell.Muted)
	f(hot(1<<30, 2400, 1200), "▲ growing +1,200/s", cell.Warn|cell.Bold)
	f(hot(3<<30, 2400, 1376), "! 429 begins at 4.0 GB, in 17m4s", cell.Bad|cell.Bold)
	f(hot(3<<30, 2400, 2500), "! 429 begins at 4.0 GB", cell.Bad|cell.Bold)
	f(hot(4<<30, 2400, 2400), "! answers 429 above 4.0 GB", cell.Bad|cell.Bold)
}
