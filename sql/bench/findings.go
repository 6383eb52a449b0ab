package bench

import (
	"fmt"
	"time"
)

// The prototype's result, which every report is held against: 92.7 % fewer bytes, and 1.45x slower (9.03 against 13.10 ms).
const (
	prototypeSaved = 0.927
	prototypeSlow  = 1.45
)

// Findings says in sentences what the report's numbers say: what pruning saves, which rung is faster and by what factor, whether the prototype's
// result shows here too and why, and warm against cold. A sentence whose numbers are not in the report is left out.
func Findings(r *Report) []string {
	f := findings{report: r, base: r.Find(Unpartitioned, false), glob: r.Find(Glob, false), list: r.Find(Catalog, false)}
	if f.base == nil {
		return nil
	}
	f.bytes()
	f.ladder()
	f.prototype()
	f.reason()
	f.opening()
	f.engine()
	f.books()
	f.cold()
	return f.said
}

type findings struct {
	report           *Report
	base, glob, list *Rung // warm
	said             []string
}

func (f *findings) say(format string, args ...any) {
	f.said = append(f.said, fmt.Sprintf(format, args...))
}

// saved is which share of the base's bytes a rung does not read.
func (f *findings) saved(r *Rung) float64 { return 1 - float64(r.Bytes)/float64(f.base.Bytes) }

func (f *findings) bytes() {
	if f.list == nil || f.base.Bytes == 0 {
		return
	}
	verdict := fmt.Sprintf("%s fewer", percent(f.saved(f.list)))
	if f.saved(f.list) < 0 {
		verdict = fmt.Sprintf("%s more: the footers of many small files cost more than pruning saves", percent(-f.saved(f.list)))
	}
	f.say("Bytes: pruning reads %s for one question (%s of %s) where the unpartitioned file gives %s: %s. The engine passes over that file's row groups of other days too, "+
		"so this is against what it really reads, not against the file's %s.", size(f.list.Bytes), few(f.list.Files), plural(f.list.FilesTotal, "file"), size(f.base.Bytes), verdict, size(f.report.Data.TwinBytes))
}

func (f *findings) ladder() {
	for i := range f.report.Rungs {
		r := &f.report.Rungs[i]
		if r.Cold || r.Name == Unpartitioned {
			continue
		}
		ratio := r.Against(f.base)
		f.say("Time, warm: %s takes %s ms where one unpartitioned file takes %s ms: %s, %s.", r.Title, millis(r.Median), millis(f.base.Median), ratio.interval(), ratio.verdict())
	}
}

// prototype says whether its result shows here too, and whether it is a property of partitioning.
func (f *findings) prototype() {
	if f.glob == nil {
		return
	}
	ratio, saved := f.glob.Against(f.base), f.saved(f.glob)
	here := fmt.Sprintf("here its way reads %s fewer and takes %s of the time", percent(saved), times(ratio.Value))
	if saved < 0 {
		here = fmt.Sprintf("here its way reads %s more and takes %s of the time", percent(-saved), times(ratio.Value))
	}
	verdict := "Neither reproduced nor refuted: the difference in time may be chance."
	switch {
	case ratio.Faster():
		verdict = "Refuted: on this data pruning pays even by pattern."
	case ratio.Slower() && saved <= 0:
		verdict = "Reproduced for the time, not for the bytes."
	case ratio.Slower() && ratio.Low > prototypeSlow:
		verdict = "Reproduced, by a wider margin."
	case ratio.Slower():
		verdict = "Reproduced."
	}
	f.say("The prototype read %s fewer bytes and took %s of the time (9.03 ms became 13.10); %s. %s", percent(prototypeSaved), times(prototypeSlow), here, verdict)
	if f.list == nil || !ratio.Slower() {
		return
	}
	switch against := f.list.Against(f.base); {
	case against.Faster():
		f.say("It is not partitioning that is slow: the same files, named by the catalog instead of found by a pattern, take %s of the pattern's time and %s of the unpartitioned file's.",
			times(f.list.Against(f.glob).Value), times(against.Value))
	case against.Slower():
		f.say("The same files, named by the catalog, take %s of the pattern's time but still %s of the unpartitioned file's: at this size opening them costs more than reading the one.",
			times(f.list.Against(f.glob).Value), times(against.Value))
	}
}

// reason explains the pattern's time by the probes.
func (f *findings) reason() {
	plan, list := f.report.Probe(ProbeGlobPlan), f.report.Probe(ProbeList)
	if f.glob == nil || plan == 0 || f.glob.Median == 0 {
		return
	}
	share := func(d time.Duration) string { return percent(min(1, float64(d)/float64(f.glob.Median))) }
	f.say("Why the pattern costs what it does: of its %s ms, planning alone takes %s ms (%s). The engine walks the folders for %s (%s ms, %s), takes the keys from every name and prunes, "+
		"before it opens the first file, and again for each question.", millis(f.glob.Median), millis(plan), share(plan), plural(f.glob.FilesTotal, "name"), millis(list), share(list))
	if listed := f.report.Probe(ProbeListPlan); listed > 0 {
		f.say("Planning over the catalog's list takes %s ms, %s of that.", millis(listed), times(float64(listed)/float64(plan)))
	}
}

// opening says what the list's own time goes into.
func (f *findings) opening() {
	open := f.report.Probe(ProbeListOpen)
	if f.list == nil || open == 0 || f.list.Median == 0 {
		return
	}
	f.say("Of the list's %s ms, %s ms (%s) are planning and opening %s files (one for each status code and conversion) before any data is read; what is left is the data and the percentile.",
		millis(f.list.Median), millis(open), percent(min(1, float64(open)/float64(f.list.Median))), few(f.list.Files))
}

// engine says what a user's own statement costs beyond the list.
func (f *findings) engine() {
	r, plan := f.report.Find(Engine, false), f.report.Probe(ProbePlan)
	if r == nil || f.list == nil || plan == 0 {
		return
	}
	f.say("Any SQL at the prompt takes %s ms, %s ms more than the bare list: %s ms are the gate, the plan and the pruning of a text that was not asked before, the rest is what makes `events` of the list.", millis(r.Median),
		millis(max(0, r.Median-f.list.Median)), millis(plan))
}

// books holds the catalog's arithmetic against the kernel's count.
func (f *findings) books() {
	off := func(r *Rung) float64 { return float64(r.Fetched)/float64(r.Bytes) - 1 }
	if f.list == nil || f.list.Fetched == 0 || f.base.Fetched == 0 || f.list.Bytes == 0 || f.base.Bytes == 0 {
		return
	}
	f.say("By the kernel's count the process read %s for a pruned question, %+.1f %% beside the catalog's arithmetic, and %s for one of the unpartitioned file, %+.1f %%.",
		size(f.list.Fetched), 100*off(f.list), size(f.base.Fetched), 100*off(f.base))
}

func (f *findings) cold() {
	base, list := f.report.Find(Unpartitioned, true), f.report.Find(Catalog, true)
	if base == nil {
		if f.report.Cold.Why != "" {
			f.say("Cold was not measured: %s.", f.report.Cold.Why)
		}
		return
	}
	f.say("Cold is cold: before each question the pages of all files (%s) were dropped, and at most %s of them were still in memory. The names of files and folders stay in memory "+
		"(dropping them needs root), and what a disk keeps in a cache of its own is out of reach.", size(f.report.Cold.Bytes), percent(f.report.Cold.Resident))
	for i := range f.report.Rungs {
		r := &f.report.Rungs[i]
		if !r.Cold || r == base {
			continue
		}
		ratio := r.Against(base)
		f.say("Time, cold: %s takes %s ms where one unpartitioned file takes %s ms: %s, %s.", r.Title, millis(r.Median), millis(base.Median), ratio.interval(), ratio.verdict())
	}
	if list == nil || f.list == nil || f.list.Median == 0 || f.base.Median == 0 {
		return
	}
	f.say("Coldness makes the catalog's list take %s of its warm time and the unpartitioned file %s.", times(float64(list.Median)/float64(f.list.Median)), times(float64(base.Median)/float64(f.base.Median)))
	if list.Disk > 0 && base.Disk > 0 {
		f.say("From the disk came %s for a pruned question and %s for one of the unpartitioned file: more than was asked for, since the system reads ahead in every file that is opened.",
			size(list.Disk), size(base.Disk))
	}
}
