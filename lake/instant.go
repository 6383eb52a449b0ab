package lake

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ParseInstant reads an instant as people type it, seen from now: RFC 3339, `2026-11-21`, `2026-11-21 14:00[:05]`, `14:00` (today), `now`,
// `today`, `yesterday`, `yesterday 14:00`, a span back (`-3h`, `-90m`, `-2d`, `-1w`), or epoch seconds, milliseconds, microseconds or
// nanoseconds by magnitude. Without an offset it is UTC, as everything in the lake is.
func ParseInstant(text string, now time.Time) (Micros, error) {
	text = strings.TrimSpace(text)
	now = now.UTC()
	if t, ok := spanBack(text, now); ok {
		return MicrosOf(t), nil
	}
	const shortestEpoch = 9 // digits of the seconds since 1973: a shorter number is more likely a slip than 1970
	if len(text) >= shortestEpoch {
		if at, ok := parseEpoch(text); ok {
			return at, nil
		}
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, time.UTC); err == nil {
			return MicrosOf(t), nil
		}
	}
	midnight := now.Truncate(24 * time.Hour)
	word, clock, _ := strings.Cut(strings.ToLower(text), " ")
	day := midnight
	switch word {
	case "now":
		return MicrosOf(now), nil
	case "today":
	case "yesterday":
		day = midnight.AddDate(0, 0, -1)
	default:
		word, clock = "", text
	}
	if word != "" && clock == "" {
		return MicrosOf(day), nil
	}
	for _, layout := range []string{"15:04:05", "15:04"} {
		if t, err := time.Parse(layout, strings.TrimSpace(clock)); err == nil {
			return MicrosOf(day.Add(time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second)), nil
		}
	}
	return 0, fmt.Errorf("time %q: want RFC 3339, 2026-11-21, 2026-11-21 14:00, 14:00, -3h, today, yesterday 14:00, or an epoch number", text)
}

// spanBack reads -3h, -90m, -45s, -2d and -1w.
func spanBack(text string, now time.Time) (time.Time, bool) {
	digits, ok := strings.CutPrefix(text, "-")
	if !ok || len(digits) < 2 {
		return time.Time{}, false
	}
	unit := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}[digits[len(digits)-1]]
	n, err := strconv.Atoi(digits[:len(digits)-1])
	if unit == 0 || err != nil || n < 0 || n > 100_000 {
		return time.Time{}, false
	}
	return now.Add(-time.Duration(n) * unit), true
}
