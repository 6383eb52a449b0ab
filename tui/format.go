package tui

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/signallake/signallake/lake"
)

// none stands where there is no number: never 0.
const none = "none"

// ms writes milliseconds in at most six columns: 0.4ms, 41ms, 1.20s, 12.3s, 4m10s.
func ms(v float64) string {
	switch {
	case math.IsNaN(v):
		return none
	case v == 0:
		return "0ms"
	case v < 10:
		return strconv.FormatFloat(v, 'f', 1, 64) + "ms"
	case v < 999.5:
		return strconv.FormatFloat(v, 'f', 0, 64) + "ms"
	case v < 9995:
		return strconv.FormatFloat(v/1000, 'f', 2, 64) + "s"
	case v < 99_950:
		return strconv.FormatFloat(v/1000, 'f', 1, 64) + "s"
	case v < 3_600_000:
		return span(time.Duration(v) * time.Millisecond)
	}
	return strconv.FormatFloat(v/3_600_000, 'f', 1, 64) + "h"
}

// took writes how long something took.
func took(d time.Duration) string { return ms(float64(d) / float64(time.Millisecond)) }

// count writes an integer with thousands separators.
func count(n int64) string { return lake.Thousands(n) }

// short writes a number in at most five columns: 812, 1,204, 18.2k, 44.7M.
func short(v float64) string {
	switch {
	case math.IsNaN(v):
		return none
	case v < 9_999.5:
		return count(int64(math.Round(v)))
	case v < 999_500:
		return short3(v/1e3) + "k"
	case v < 999_500_000:
		return short3(v/1e6) + "M"
	}
	return short3(v/1e9) + "G"
}

func short3(v float64) string {
	if v < 99.95 {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

// rate writes events a second.
func rate(v float64) string {
	if v > 0 && v < 10 {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	if v < 100_000 {
		return count(int64(math.Round(v)))
	}
	return short(v)
}

// size writes bytes in the units that disks and clouds are billed in.
func size(n int64) string {
	v := float64(n)
	for _, unit := range []string{"B", "KB", "MB", "GB"} {
		if v < 999.5 || unit == "GB" && v < 999_500 {
			if unit == "B" {
				return fmt.Sprintf("%d B", n)
			}
			if v < 9.95 {
				return strconv.FormatFloat(v, 'f', 1, 64) + " " + unit
			}
			return strconv.FormatFloat(v, 'f', 0, 64) + " " + unit
		}
		v /= 1024
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + " TB"
}

// percent writes a share in [0, 1].
func percent(v float64) string {
	switch p := v * 100; {
	case math.IsNaN(v):
		return none
	case p == 0:
		return "0%"
	case p < 0.005:
		return "<0.01%"
	case p < 9.995:
		return strconv.FormatFloat(p, 'f', 2, 64) + "%"
	default:
		return strconv.FormatFloat(p, 'f', 1, 64) + "%"
	}
}

// usd writes Athena's price.
func usd(v float64) string {
	if v == 0 {
		return "$0"
	}
	if v < 0.01 {
		return "$" + strconv.FormatFloat(v, 'f', 5, 64)
	}
	return "$" + strconv.FormatFloat(v, 'f', 2, 64)
}

// span writes a duration in its two largest units: 45s, 3m20s, 6h, 2d4h.
func span(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%dms", d.Milliseconds())
	}
	var parts []string
	for _, unit := range []struct {
		d    time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if n := d / unit.d; n > 0 {
			parts = append(parts, fmt.Sprint(int64(n))+unit.name)
			d -= n * unit.d
		} else if len(parts) > 0 {
			break
		}
	}
	return strings.Join(parts[:min(2, len(parts))], "")
}

// clock writes the time of day in UTC.
func clock(t time.Time) string { return t.UTC().Format("15:04:05") + "Z" }

// day writes an instant's date.
func day(m lake.Micros) string { return m.Time().Format(time.DateOnly) }

// between writes a range as short as it can be understood at the time now.
func between(from, to lake.Micros, now time.Time) string {
	a, b, now := from.Time(), to.Time(), now.UTC()
	switch {
	case a.Year() != now.Year() || b.Year() != now.Year():
		return a.Format("2006-01-02 15:04") + " – " + b.Format("2006-01-02 15:04") + "Z"
	case a.YearDay() != now.YearDay() || b.YearDay() != now.YearDay():
		return a.Format("01-02 15:04") + " – " + b.Format("01-02 15:04") + "Z"
	}
	return a.Format("15:04") + "–" + b.Format("15:04") + "Z"
}

// ago writes how long before now an instant was.
func ago(m lake.Micros, now time.Time) string {
	d := now.Sub(m.Time())
	if d < time.Second {
		return "now"
	}
	return span(d) + " ago"
}

// counted writes a number with its noun.
func counted(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return count(n) + " " + noun + "s"
}
