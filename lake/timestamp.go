package lake

import "strconv"

// Below these magnitudes an epoch number is read as seconds, milliseconds and microseconds; from the last one on as nanoseconds. Each
// unit thus covers the years from 1973 to 5138; nearer to 1970 than that an instant can only be given in seconds or as text.
const (
	epochSecondsBelow = 100_000_000_000         // 1e11 s is the year 5138
	epochMillisBelow  = 100_000_000_000_000     // 1e14 ms is the year 5138
	epochMicrosBelow  = 100_000_000_000_000_000 // 1e17 µs is the year 5138
	epochTooLarge     = 1e19                    // ns that int64 cannot hold
)

// civilOf is the Gregorian date of a day (H. Hinnant, "chrono-compatible low-level date algorithms": eras of 400 years from 1 March).
func civilOf(d Date) (year, month, day int) {
	z := int64(d) + 719468
	era := z / 146097
	if z < 0 {
		era = (z - 146096) / 146097
	}
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	day = int(doy - (153*mp+2)/5 + 1)
	month = int(mp + 3)
	if month > 12 {
		month -= 12
	}
	year = int(yoe + era*400)
	if month <= 2 {
		year++
	}
	return year, month, day
}

// civilDate is the day of a Gregorian date; ok is false when the calendar has no such day.
func civilDate(year, month, day int) (d Date, ok bool) {
	if month < 1 || month > 12 || day < 1 || day > 31 {
		return 0, false
	}
	y, m := year, month-3
	if m < 0 {
		y, m = y-1, m+12
	}
	era := y / 400
	if y < 0 {
		era = (y - 399) / 400
	}
	yoe := y - era*400
	doy := (153*m+2)/5 + day - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	d = Date(era*146097 + doe - 719468)
	if day > 28 { // only then can the date have run into the next month
		_, gotMonth, _ := civilOf(d)
		return d, gotMonth == month
	}
	return d, true
}

// parseInstant reads an RFC 3339 timestamp with any offset (also with a space or t for T, z for Z, and an offset without its colon). Digits beyond the
// microsecond are cut off. problem is "" when it went well.
func parseInstant(s string) (t Micros, problem string) {
	const want = "must be RFC 3339 such as 2026-11-21T07:56:05.123Z, or an epoch number without quotes"
	if len(s) < 19 || s[4] != '-' || s[7] != '-' || s[13] != ':' || s[16] != ':' || s[10] != 'T' && s[10] != 't' && s[10] != ' ' {
		return 0, want
	}
	year, ok1 := decimal(s[:4])
	month, ok2 := decimal(s[5:7])
	dom, ok3 := decimal(s[8:10])
	hour, ok4 := decimal(s[11:13])
	minute, ok5 := decimal(s[14:16])
	sec, ok6 := decimal(s[17:19])
	if !(ok1 && ok2 && ok3 && ok4 && ok5 && ok6) {
		return 0, want
	}
	day, ok := civilDate(year, month, dom)
	if !ok || hour > 23 || minute > 59 || sec > 59 {
		return 0, "is no date and time of the calendar"
	}
	frac, rest, ok := cutFraction(s[19:])
	if !ok {
		return 0, want
	}
	if rest == "" {
		return 0, "has no time zone: end it with Z or an offset such as +02:00"
	}
	offset, ok := parseOffset(rest)
	if !ok {
		return 0, "has an unknown time zone: end it with Z or an offset such as +02:00"
	}
	t = day.Start() + Micros((hour*60+minute-offset)*60+sec)*1_000_000 + Micros(frac)
	if t < minInstant || t > maxInstant {
		return 0, "is outside the years 0000 to 9999"
	}
	return t, ""
}

// decimal reads up to nine digits and nothing else.
func decimal(s string) (n int, ok bool) {
	for i := range len(s) {
		c := s[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + int(c)
	}
	return n, true
}

// cutFraction takes ".123456789" from the front of s, as microseconds.
func cutFraction(s string) (micros int, rest string, ok bool) {
	if s == "" || s[0] != '.' {
		return 0, s, true
	}
	i, unit := 1, 100_000
	for ; i < len(s) && '0' <= s[i] && s[i] <= '9'; i++ {
		micros += int(s[i]-'0') * unit
		unit /= 10
	}
	return micros, s[i:], i > 1
}

// parseOffset reads Z, +hh:mm or +hhmm, in minutes east of UTC.
func parseOffset(s string) (minutes int, ok bool) {
	if s == "Z" || s == "z" {
		return 0, true
	}
	if len(s) == 6 && s[3] == ':' {
		s = s[:3] + s[4:]
	}
	if len(s) != 5 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	h, ok1 := decimal(s[1:3])
	m, ok2 := decimal(s[3:])
	if !ok1 || !ok2 || h > 23 || m > 59 {
		return 0, false
	}
	if s[0] == '-' {
		return -(h*60 + m), true
	}
	return h*60 + m, true
}

// parseEpoch reads a valid JSON number as an epoch: its unit is told by its magnitude, see epochSecondsBelow. A fraction is exact; digits
// beyond the microsecond are cut off towards zero. ok is false for a number that no unit covers.
func parseEpoch(number string) (t Micros, ok bool) {
	negative := number[0] == '-'
	if negative {
		number = number[1:]
	}
	var whole, frac int64
	i := 0
	for ; i < len(number) && '0' <= number[i] && number[i] <= '9'; i++ {
		if i == 19 {
			return 0, false
		}
		whole = whole*10 + int64(number[i]-'0')
	}
	if whole < 0 {
		return 0, false
	}
	if i < len(number) && number[i] == '.' {
		unit := int64(100_000_000)
		for i++; i < len(number) && '0' <= number[i] && number[i] <= '9'; i++ {
			frac += int64(number[i]-'0') * unit
			unit /= 10
		}
	}
	if i < len(number) { // an exponent: rare enough for the roundabout way
		f, err := strconv.ParseFloat(number, 64)
		if err != nil || f >= epochTooLarge {
			return 0, false
		}
		return parseEpoch(strconv.FormatFloat(sign(negative)*f, 'f', -1, 64))
	}
	var us int64 // frac has billionths of the unit
	switch {
	case whole < epochSecondsBelow:
		us = whole*1_000_000 + frac/1_000
	case whole < epochMillisBelow:
		us = whole*1_000 + frac/1_000_000
	case whole < epochMicrosBelow:
		us = whole
	default:
		us = whole / 1_000
	}
	if negative {
		us = -us
	}
	return Micros(us), true
}

func sign(negative bool) float64 {
	if negative {
		return -1
	}
	return 1
}
