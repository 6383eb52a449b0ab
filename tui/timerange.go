package tui

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

// timeRange is what the user looks at: a window that follows now, or one that stands still.
type timeRange struct {
	Span   time.Duration
	End    lake.Micros // 0: follows now, or the end of the data when that is long ago
	Chosen bool        // by the user; else it fits itself to the data
}

const (
	defaultSpan = time.Hour
	minSpan     = 2 * time.Minute
	maxSpan     = 20 * 365 * 24 * time.Hour
	maxSlots    = 120 // more than a chart has columns costs time and shows nothing
)

// oldDataSpans are shown of data that ended long ago: the first that holds all of it, or the last.
var oldDataSpans = []time.Duration{15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour}

func oldDataSpan(extent sql.Extent) time.Duration {
	length := time.Duration(extent.Last-extent.First) * time.Microsecond
	for _, span := range oldDataSpans {
		if length <= span {
			return span
		}
	}
	return oldDataSpans[len(oldDataSpans)-1]
}

// slotMinutes are the slot lengths that people can read off an axis.
var slotMinutes = []int64{1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 7 * 1440, 30 * 1440, 120 * 1440}

// view is a resolved time range.
type view struct {
	sql.Range
	Span time.Duration
	Live bool   // its end moves with now
	Note string // why it is not what one would expect
}

// resolve fits the range to the clock and to the data.
func (t timeRange) resolve(now time.Time, extent sql.Extent) view {
	v := view{Span: t.Span, Live: t.End == 0}
	end := t.End
	if end == 0 {
		end = lake.MicrosOf(now)
		limit := t.Span
		if !t.Chosen {
			v.Span, limit = defaultSpan, defaultSpan
		}
		switch old := extent.Events > 0 && extent.Last < end-lake.Micros(limit.Microseconds()); {
		case old && t.Chosen: // what the user asked for is shown, and why it is empty
			v.Note = noEvents + "; data ends " + day(extent.Last-1) + ", t"
		case old:
			end, v.Live, v.Span = extent.Last, false, oldDataSpan(extent)
			v.Note = fmt.Sprintf("data ends %s; showing its last %s", day(extent.Last-1), words(v.Span))
		}
	}
	minute := lake.Micros(time.Minute.Microseconds())
	slot := minute * lake.Micros(slotMinutes[len(slotMinutes)-1])
	for _, m := range slotMinutes {
		if v.Span <= time.Duration(m*maxSlots)*time.Minute {
			slot = minute * lake.Micros(m)
			break
		}
	}
	v.Slots = max(1, int((v.Span.Microseconds()+int64(slot)-1)/int64(slot)))
	v.To = (end + slot - 1) / slot * slot
	v.From = v.To - lake.Micros(v.Slots)*slot
	return v
}

// words writes a span as people say it: 15 min, 24 h, 7 days.
func words(d time.Duration) string {
	switch {
	case d >= 48*time.Hour && d%(24*time.Hour) == 0:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	case d >= time.Hour && d%time.Hour == 0:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d >= time.Minute && d%time.Minute == 0:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return span(d)
}

// shift moves the window by half its length; past now it follows now again.
func (t timeRange) shift(v view, forward bool, now time.Time) timeRange {
	half := lake.Micros(v.Span.Microseconds() / 2)
	t.Span, t.Chosen = v.Span, true
	if !forward {
		t.End = v.To - half
		return t
	}
	if t.End = v.To + half; t.End >= lake.MicrosOf(now) {
		t.End = 0
	}
	return t
}

// zoom halves or doubles the window around its middle; a window that follows now keeps its end.
func (t timeRange) zoom(v view, in bool) timeRange {
	next := v.Span * 2
	if in {
		next = v.Span / 2
	}
	next = min(max(next.Round(time.Minute), minSpan), maxSpan)
	if !v.Live {
		t.End = v.To + lake.Micros((next-v.Span).Microseconds()/2)
	}
	t.Span, t.Chosen = next, true
	return t
}

var errRangeWords = errors.New("want a length (15m, 6h, 7d), -3h, yesterday 14:00, or two instants with `..` between them")

// parseRange reads a range as people type it: a length, an instant up to now, or two instants.
func parseRange(text string, now time.Time) (timeRange, error) {
	text = strings.TrimSpace(text)
	if d, ok := parseSpan(strings.TrimPrefix(strings.ReplaceAll(text, " ", ""), "-")); ok {
		return timeRange{Span: d, Chosen: true}, nil
	}
	from, to, two := strings.Cut(text, "..")
	if !two {
		from, to, two = strings.Cut(text, " to ")
	}
	start, err := lake.ParseInstant(from, now)
	if err != nil || text == "" {
		return timeRange{}, errRangeWords
	}
	end := lake.MicrosOf(now)
	if two && strings.TrimSpace(to) != "" {
		base := now
		if !strings.ContainsAny(strings.TrimSpace(to), "- ") && strings.Contains(to, ":") {
			base = start.Time() // a time of day alone means the first instant's day
		}
		if end, err = lake.ParseInstant(to, base); err != nil {
			return timeRange{}, errRangeWords
		}
	}
	length := time.Duration(end-start) * time.Microsecond
	if length <= 0 {
		return timeRange{}, errors.New("the range ends before it begins")
	}
	return timeRange{Span: min(max(length, minSpan), maxSpan), End: end, Chosen: true}, nil
}

// parseSpan reads 15m, 6h, 2d, 1w.
func parseSpan(text string) (time.Duration, bool) {
	if len(text) < 2 {
		return 0, false
	}
	unit := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}[text[len(text)-1]]
	n, err := strconv.Atoi(text[:len(text)-1])
	if err != nil || unit == 0 || n <= 0 || n > 100_000 {
		return 0, false
	}
	return min(max(time.Duration(n)*unit, minSpan), maxSpan), true
}
