package lake

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestParseInstant(t *testing.T) {
	check := func(in, want string) {
		t.Helper()
		got, problem := parseInstant(in)
		if problem != "" || got.Time().Format(time.RFC3339Nano) != want {
			t.Errorf("%q: %s %s, want %s", in, got.Time().Format(time.RFC3339Nano), problem, want)
		}
	}
	check("2026-11-21T07:56:05Z", "2026-11-21T07:56:05Z")
	check("2026-11-21t07:56:05z", "2026-11-21T07:56:05Z")
	check("2026-11-21 07:56:05.5+05:30", "2026-11-21T02:26:05.5Z")
	check("2026-11-21T07:56:05.123456789-0800", "2026-11-21T15:56:05.123456Z")
	check("2026-11-21T00:30:00+01:00", "2026-11-20T23:30:00Z")
	check("2026-11-21T07:56:05-00:00", "2026-11-21T07:56:05Z")
	check("2024-02-29T23:59:59.999999999Z", "2024-02-29T23:59:59.999999Z")
	check("2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z")
	check("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z")
	check("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z")
	check("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z")

	refuse := func(in string) {
		t.Helper()
		if got, problem := parseInstant(in); problem == "" {
			t.Errorf("%q is read as %s", in, got.Time())
		}
	}
	for _, in := range []string{"", "now", "2026-11-21", "2026-11-21T07:56Z", "2026-11-21T07:56:05", "2026-11-21T07:56:05.Z", "2026-11-21T07:56:05,5Z",
		"2026-11-21T07:56:05 Z", "2026-11-21T07:56:05+5", "2026-11-21T07:56:05+24:00", "2026-11-21T07:56:05+01:60", "2026-11-21T07:56:05CET",
		"2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-04-31T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T07:60:00Z",
		"2026-11-21T07:56:60Z", "+026-11-21T07:56:05Z", "2026-11-21X07:56:05Z", "2026-11-2１T07:56:05Z", "1795247765", "0000-01-01T00:00:00+01:00",
		"9999-12-31T23:59:59-01:00", "2026/11/21T07:56:05Z"} {
		refuse(in)
	}
}

func TestParseInstantAgreesWithTime(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 100_000 {
		at := Micros(r.Int64N(int64(maxInstant)))
		zone := time.FixedZone("", (r.IntN(47*30)-23*30)*60)
		in := at.Time().In(zone).Format("2006-01-02T15:04:05.000000Z07:00")
		if got, problem := parseInstant(in); got != at {
			t.Fatalf("%s: %d %s, want %d", in, got, problem, at)
		}
	}
	for year := 1; year < 2500; year++ {
		for month := 1; month <= 12; month++ {
			last := time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC)
			d, ok := civilDate(year, month, last.Day())
			if _, over := civilDate(year, month, last.Day()+1); !ok || over || d != DateOf(MicrosOf(last)) {
				t.Fatalf("the last of %d-%d: %v %v %v", year, month, d, ok, over)
			}
		}
	}
}

func TestParseEpoch(t *testing.T) {
	check := func(in string, want Micros) {
		t.Helper()
		if got, ok := parseEpoch(in); !ok || got != want {
			t.Errorf("%s: %d %v, want %d", in, got, ok, want)
		}
	}
	const us = 1795247765123456
	check("1795247765", us/1_000_000*1_000_000)
	check("1795247765.123456", us)
	check("1795247765.1234569999999999", us)
	check("1795247765123", us/1000*1000)
	check("1795247765123.456", us)
	check("1795247765123456", us)
	check("1795247765123456.9", us)
	check("1795247765123456789", us)
	check("1.795247765e9", us/1_000_000*1_000_000)
	check("1.795247765123456E+15", us)
	check("0", 0)
	check("-0", 0)
	check("-1.5", -1_500_000)
	check("-1e0", -1_000_000)
	check("99999999999", 99_999_999_999_000_000)
	check("100000000000", 100_000_000_000_000)
	check("99999999999999", 99_999_999_999_999_000)
	check("100000000000000", 100_000_000_000_000)
	check("99999999999999999", 99_999_999_999_999_999)
	check("100000000000000000", 100_000_000_000_000)
	check("9223372036854775807", 9_223_372_036_854_775)
	for _, in := range []string{"9223372036854775808", "9999999999999999999", "18446744073709551616", "1e300", "-1e300", "1e19", "1e999", "99999999999999999999999"} {
		if got, ok := parseEpoch(in); ok {
			t.Errorf("%s is read as %d", in, got)
		}
	}
}

func FuzzParseInstant(f *testing.F) {
	f.Add("2026-11-21T07:56:05.123456Z")
	f.Add("2026-11-21 07:56:05+0530")
	f.Fuzz(func(t *testing.T, in string) {
		got, problem := parseInstant(in)
		if want, err := time.Parse(time.RFC3339Nano, in); strictRFC3339.MatchString(in) && (err == nil) != (problem == "") &&
			problem != "is outside the years 0000 to 9999" || problem == "" && err == nil && got != MicrosOf(want) {
			t.Fatalf("%q: %d %q, time has %v %v", in, got, problem, want, err)
		}
	})
}
