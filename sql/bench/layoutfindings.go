package bench

import (
	"fmt"
	"slices"
	"time"
)

// LayoutFindings says in sentences what the numbers of a report say. A difference that may be chance is called so, and a sentence whose numbers are not in
// the report is left out.
func LayoutFindings(l *Layouts) []string {
	f := layoutFindings{report: l, base: l.Find(l.Base)}
	if f.base == nil || f.base.Warm.Median == 0 {
		return nil
	}
	f.noise()
	f.trees()
	f.files()
	f.codecs()
	f.rowGroups()
	f.own()
	f.cold()
	f.clients()
	return f.said
}

type layoutFindings struct {
	report *Layouts
	base   *Variant
	said   []string
}

func (f *layoutFindings) say(format string, args ...any) {
	f.said = append(f.said, fmt.Sprintf(format, args...))
}

// noise says how far the base's rounds lie apart: that is the machine, not the layout.
func (f *layoutFindings) noise() {
	rounds := roundMedians(f.base.Warm.Samples, f.report.Data.Pairs)
	if len(rounds) < 3 {
		return
	}
	low, high := rounds[0], rounds[0]
	for _, r := range rounds {
		low, high = min(low, r), max(high, r)
	}
	f.say("Noise: the median of a round of %s went from %s to %s ms, %s apart. All ways take turns within a round, so that ratios bear that; what an interval with 1 in it says may be chance.",
		f.base.Title, millis(low), millis(high), percent(float64(high)/float64(max(1, low))-1))
}

// trees says what each level of folders is worth.
func (f *layoutFindings) trees() {
	axis := f.report.Axis(AxisTree)
	if axis == nil {
		return
	}
	fastest := f.base
	for _, p := range axis.Points {
		v := f.report.Find(p.Variant)
		if v == nil || v.Name == VariantOwn {
			continue
		}
		if v.Warm.Median < fastest.Warm.Median {
			fastest = v
		}
		if v == f.base {
			continue
		}
		r := v.Warm.Against(&f.base.Warm)
		f.say("Folders: %s takes %s ms where %s takes %s ms: %s, %s. It reads %s in %s where that reads %s in %s.", p.Title, millis(v.Warm.Median), f.base.Title, millis(f.base.Warm.Median),
			r.interval(), r.verdict(), size(v.ReadBytes), fewFiles(v.Read), size(f.base.ReadBytes), fewFiles(f.base.Read))
	}
	if fastest == f.base {
		f.say("Folders: none of the others is faster than %s here.", f.base.Title)
		return
	}
	r := fastest.Warm.Against(&f.base.Warm)
	if r.Faster() {
		f.say("Folders: for this question the fastest is %s: status codes make %s of one, and each has a footer and an opening of its own. A question about one status code reads a file of them.",
			fastest.Title, fewFiles(f.base.Read))
	}
}

// files says what each further file costs.
func (f *layoutFindings) files() {
	axis := f.report.Axis(AxisFiles)
	if axis == nil {
		return
	}
	for _, p := range axis.Points {
		v := f.report.Find(p.Variant)
		if v == nil || v == f.base {
			continue
		}
		r, further := v.Warm.Against(&f.base.Warm), v.Read-f.base.Read
		what := r.verdict()
		if r.Slower() && further > 0 {
			what = fmt.Sprintf("%s ms more for %s more files, %s a file", millis(v.Warm.Median-f.base.Warm.Median), few(further), micros(v.Warm.Median-f.base.Warm.Median, further))
			if v.Cold.Median > f.base.Cold.Median && f.base.Cold.Median > 0 {
				what += fmt.Sprintf(" (cold %s)", micros(v.Cold.Median-f.base.Cold.Median, further))
			}
		}
		f.say("Files: %s files a partition take %s of the time of one: %s. On the disk they are %s of its size, and footers are %s of that where they were %s.", p.Title, r.interval(), what,
			times(float64(v.Bytes)/float64(max(1, f.base.Bytes))), percent(share(v.Footers, v.Bytes)), percent(share(f.base.Footers, f.base.Bytes)))
	}
}

func (f *layoutFindings) codecs() {
	axis := f.report.Axis(AxisCodec)
	if axis == nil {
		return
	}
	for _, p := range axis.Points {
		v := f.report.Find(p.Variant)
		if v == nil || v == f.base || v.Name == VariantOwn {
			continue
		}
		r := v.Warm.Against(&f.base.Warm)
		sentence := fmt.Sprintf("Codec: %s takes %s of zstd's disk (%s and %s) and %s of its time, %s", p.Title, times(float64(v.Bytes)/float64(max(1, f.base.Bytes))), size(v.Bytes), size(f.base.Bytes), r.interval(), r.verdict())
		if v.Cold.Median > 0 && f.base.Cold.Median > 0 {
			cold := v.Cold.Against(&f.base.Cold)
			sentence += fmt.Sprintf("; cold %s, %s", cold.interval(), cold.verdict())
		}
		f.say("%s.", sentence)
	}
}

// rowGroups says what statistics can rule out in one file, and how that stands to folders.
func (f *layoutFindings) rowGroups() {
	axis := f.report.Axis(AxisRowGroups)
	if axis == nil {
		return
	}
	large := f.report.Find(axis.BaseOf(f.report))
	best := large
	for _, p := range axis.Points {
		v := f.report.Find(p.Variant)
		if v == nil || large == nil || v == large {
			continue
		}
		if v.Warm.Median < best.Warm.Median {
			best = v
		}
		r := v.Warm.Against(&large.Warm)
		f.say("Row groups: of %s a question reads %s where of %s it reads %s, and takes %s of the time, %s; the footer grows from %s to %s.", p.Title, size(v.ReadBytes), axis.Points[len(axis.Points)-1].Title,
			size(large.ReadBytes), r.interval(), r.verdict(), size(large.Footers), size(v.Footers))
	}
	if best == nil {
		return
	}
	r := best.Warm.Against(&f.base.Warm)
	f.say("One file that is ordered by the key, at its best (%s), takes %s of %s's time, %s. But it has to be written at once: what comes later would be a second file.", best.Title, r.interval(), f.base.Title, r.verdict())
}

// own holds the lake's own files against the same layout by DuckDB.
func (f *layoutFindings) own() {
	v := f.report.Find(VariantOwn)
	if v == nil {
		return
	}
	r := v.Warm.Against(&f.base.Warm)
	f.say("The lake's own files take %s of the disk of DuckDB's in the same folders (%s and %s; footers %s and %s, %s and %s files) and %s of the time, %s.", times(float64(v.Bytes)/float64(max(1, f.base.Bytes))),
		size(v.Bytes), size(f.base.Bytes), size(v.Footers), size(f.base.Footers), count(int64(v.Files)), count(int64(f.base.Files)), r.interval(), r.verdict())
}

func (f *layoutFindings) cold() {
	if f.base.Cold.Median == 0 {
		if f.report.Cold.Why != "" {
			f.say("Cold was not measured: %s.", f.report.Cold.Why)
		}
		return
	}
	least, most := f.base, f.base
	factor := func(v *Variant) float64 { return float64(v.Cold.Median) / float64(max(1, v.Warm.Median)) }
	for i := range f.report.Variants {
		v := &f.report.Variants[i]
		if v.Cold.Median == 0 {
			continue
		}
		if factor(v) < factor(least) {
			least = v
		}
		if factor(v) > factor(most) {
			most = v
		}
	}
	f.say("Cold: without the files' pages a question of %s takes %s of its warm time; least of %s (%s), most of %s (%s). At most %s of the pages were still in memory.", f.base.Title, times(factor(f.base)),
		least.Title, times(factor(least)), most.Title, times(factor(most)), percent(f.report.Cold.Resident))
	if one := f.report.Find(VariantOne); one != nil && one.Disk > 0 && f.base.Disk > 0 {
		f.say("From the disk came %s for a question of %s and %s for %s: the system reads ahead in every file that is opened.", size(f.base.Disk), f.base.Title, size(one.Disk), one.Title)
	}
}

// clients says whether clients at once get more answers, and what each waits for it.
func (f *layoutFindings) clients() {
	seen := map[string]bool{}
	for i := range f.report.Clients {
		name := f.report.Clients[i].Variant
		if v := f.report.Find(name); v != nil && !seen[name] {
			seen[name] = true
			f.clientsOf(v)
		}
	}
}

func (f *layoutFindings) clientsOf(v *Variant) {
	var one, peak, last *Clients
	for i := range f.report.Clients {
		c := &f.report.Clients[i]
		if c.Variant != v.Name {
			continue
		}
		if c.Clients == 1 {
			one = c
		}
		if peak == nil || c.PerSecond > peak.PerSecond {
			peak = c
		}
		last = c
	}
	if one == nil || last == one || one.PerSecond == 0 || len(one.Rates) == 0 {
		return
	}
	more := fmt.Sprintf("the most are %s, to %d", digits(peak.PerSecond), peak.Clients)
	if peak == one {
		more = "more clients do not get more"
	}
	f.say("At once: of %s one client gets %s answers a second (%s to %s from round to round) and %d together %s (%s); %s. The median answer takes %s ms instead of %s, on %s.",
		v.Title, digits(one.PerSecond), digits(slices.Min(one.Rates)), digits(one.Best), last.Clients, digits(last.PerSecond), times(last.PerSecond/one.PerSecond), more, millis(last.Median), millis(one.Median),
		plural(f.report.Machine.Cores, "core"))
}

func share(part, of int64) float64 { return float64(part) / float64(max(1, of)) }

// fewFiles is a mean number of files in words.
func fewFiles(n float64) string {
	if n == 1 {
		return "1 file"
	}
	return few(n) + " files"
}

// micros is a time for each of so many, in microseconds.
func micros(d time.Duration, n float64) string {
	return digits(float64(d)/n/float64(time.Microsecond)) + " µs"
}
