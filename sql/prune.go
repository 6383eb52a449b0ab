package sql

import (
	"cmp"
	"sort"
	"strings"

	"github.com/signallake/signallake/lake"
)

const microsPerDay = 24 * 60 * 60 * 1_000_000

// Leeway widens what a file may hold, because the statement is planned a little earlier than it runs and `now()` moves in between.
type Leeway struct {
	Micros lake.Micros // on timestamp
	Days   int64       // on event_date: 1 around midnight for a statement that asks the clock, else 0
}

// Prune keeps the files that may hold a row for one of the scans: the partition key and the smallest and largest timestamp decide. A filter
// that is not understood keeps the file. files must have the order of Version.Files; whole days, services and status codes are decided at once,
// so that the cost follows the number of survivors, not of files.
func Prune(files []lake.FileEntry, scans []Scan, leeway Leeway) []*lake.FileEntry {
	if len(scans) == 0 {
		return nil
	}
	p := pruner{scans: scans, leeway: leeway}
	p.days(files)
	return p.kept
}

type pruner struct {
	scans  []Scan
	leeway Leeway
	kept   []*lake.FileEntry
}

// bounds is what is known of every row of a group of files; integers are days, microseconds and codes, both ends inclusive.
type bounds struct {
	date      interval
	timestamp interval
	service   string // "" is not known: no event has an empty service
	status    interval
	hasStatus bool
}

type interval struct{ lo, hi int64 }

func (p *pruner) days(files []lake.FileEntry) {
	for len(files) > 0 {
		date := files[0].Partition.Date
		n := sort.Search(len(files), func(i int) bool { return files[i].Partition.Date > date })
		start := int64(date.Start())
		b := bounds{date: interval{int64(date) - p.leeway.Days, int64(date) + p.leeway.Days}, timestamp: p.widen(start, start+microsPerDay-1)}
		if p.may(&b) {
			p.services(files[:n], b)
		}
		files = files[n:]
	}
}

func (p *pruner) services(files []lake.FileEntry, b bounds) {
	for len(files) > 0 {
		b.service = files[0].Partition.Service
		n := sort.Search(len(files), func(i int) bool { return files[i].Partition.Service > b.service })
		if p.may(&b) {
			p.files(files[:n], b)
		}
		files = files[n:]
	}
}

func (p *pruner) files(files []lake.FileEntry, b bounds) {
	b.hasStatus = true
	for i := range files {
		f := &files[i]
		b.status = interval{int64(f.Partition.Status), int64(f.Partition.Status)}
		b.timestamp = p.widen(int64(f.MinTS), int64(f.MaxTS))
		if p.may(&b) {
			p.kept = append(p.kept, f)
		}
	}
}

func (p *pruner) widen(lo, hi int64) interval {
	return interval{lo - int64(p.leeway.Micros), hi + int64(p.leeway.Micros)}
}

func (p *pruner) may(b *bounds) bool {
	for i := range p.scans {
		if p.scans[i].may(b) {
			return true
		}
	}
	return false
}

// may says whether a row within b can pass all filters of the scan.
func (s *Scan) may(b *bounds) bool {
	for i := range s.filters {
		f := &s.filters[i]
		var v value
		switch f.column {
		case "event_date":
			v = value{kind: "DATE", interval: b.date}
		case "timestamp":
			v = value{kind: "TIMESTAMP", interval: b.timestamp}
		case "service_name":
			if b.service == "" {
				continue
			}
			v = value{kind: "VARCHAR", text: b.service}
		case "status_code":
			if !b.hasStatus {
				continue
			}
			v = value{kind: "INTEGER", interval: b.status}
		default:
			continue
		}
		if !v.mayPass(&f.filter) {
			return false
		}
	}
	return true
}

// value is what a column may hold: any of an interval, or one text. Kinds are the plan's names of types.
type value struct {
	kind string
	interval
	text string
}

// mayPass says whether some of the value can pass the filter. Whatever is not understood may.
func (v value) mayPass(f *planFilter) bool {
	switch f.Kind {
	case "CONSTANT_COMPARISON":
		return v.mayCompare(f.Comparison, f.Constant)
	case "CONJUNCTION_AND":
		for i := range f.Children {
			if !v.mayPass(&f.Children[i]) {
				return false
			}
		}
	case "CONJUNCTION_OR":
		for i := range f.Children {
			if v.mayPass(&f.Children[i]) {
				return true
			}
		}
		return len(f.Children) == 0
	case "OPTIONAL_FILTER": // implied by a filter above the scan
		return f.Child == nil || v.mayPass(f.Child)
	case "IN_FILTER":
		return v.mayEqualAny(f.Values)
	case "EXPRESSION_FILTER":
		return f.Expr == nil || v.mayHold(f.Expr)
	}
	return true
}

func (v value) mayEqualAny(constants []planConstant) bool {
	for _, c := range constants {
		if v.mayCompare("COMPARE_EQUAL", c) {
			return true
		}
	}
	return len(constants) == 0
}

// mayHold is mayPass for an expression over the column, which stands in it as BOUND_REF.
func (v value) mayHold(e *planExpr) bool {
	switch e.Type {
	case "CONJUNCTION_AND":
		for _, child := range e.Children {
			if child != nil && !v.mayHold(child) {
				return false
			}
		}
		return true
	case "CONJUNCTION_OR":
		for _, child := range e.Children {
			if child == nil || v.mayHold(child) {
				return true
			}
		}
		return len(e.Children) == 0
	case "COMPARE_IN":
		return v.mayBeIn(e)
	}
	left, right := e.Left, e.Right
	if left == nil || right == nil || right.Type != "VALUE_CONSTANT" {
		return true
	}
	if left.Type == "BOUND_REF" {
		return v.mayCompare(e.Type, right.Value)
	}
	if left.Type != "OPERATOR_CAST" || left.Child == nil || left.Child.Type != "BOUND_REF" || left.Return.ID != right.Value.Type.ID {
		return true
	}
	return v.mayCompareCast(e.Type, left.Return.ID, right.Value)
}

func (v value) mayBeIn(e *planExpr) bool {
	if len(e.Children) < 2 || e.Children[0] == nil || e.Children[0].Type != "BOUND_REF" {
		return true
	}
	for _, child := range e.Children[1:] {
		if child == nil || child.Type != "VALUE_CONSTANT" || v.mayCompare("COMPARE_EQUAL", child.Value) {
			return true
		}
	}
	return false
}

// mayCompareCast compares the column after a cast. The session's time zone is UTC, so TIMESTAMPTZ has the same numbers.
func (v value) mayCompareCast(comparison, to string, c planConstant) bool {
	switch v.kind + ">" + to {
	case "TIMESTAMP>TIMESTAMP WITH TIME ZONE":
		c.Type.ID = "TIMESTAMP"
	case "TIMESTAMP>DATE":
		v = value{kind: "DATE", interval: interval{floorDay(v.lo), floorDay(v.hi)}}
	case "DATE>TIMESTAMP":
		v = value{kind: "TIMESTAMP", interval: interval{v.lo * microsPerDay, v.hi * microsPerDay}}
	case "DATE>TIMESTAMP WITH TIME ZONE":
		c.Type.ID = "TIMESTAMP"
		v = value{kind: "TIMESTAMP", interval: interval{v.lo * microsPerDay, v.hi * microsPerDay}}
	default:
		return true
	}
	return v.mayCompare(comparison, c)
}

func floorDay(micros int64) int64 { return int64(lake.DateOf(lake.Micros(micros))) }

func (v value) mayCompare(comparison string, c planConstant) bool {
	if c.IsNull || c.Type.ID != v.kind {
		return true
	}
	var lo, hi int // how the smallest and the largest value stand to the constant
	if v.kind == "VARCHAR" {
		text, ok := c.text()
		if !ok {
			return true
		}
		lo = strings.Compare(v.text, text)
		hi = lo
	} else {
		n, ok := c.integer()
		if !ok {
			return true
		}
		lo, hi = cmp.Compare(v.lo, n), cmp.Compare(v.hi, n)
	}
	switch comparison {
	case "COMPARE_EQUAL":
		return lo <= 0 && hi >= 0
	case "COMPARE_NOTEQUAL":
		return lo != 0 || hi != 0
	case "COMPARE_LESSTHAN":
		return lo < 0
	case "COMPARE_LESSTHANOREQUALTO":
		return lo <= 0
	case "COMPARE_GREATERTHAN":
		return hi > 0
	case "COMPARE_GREATERTHANOREQUALTO":
		return hi >= 0
	}
	return true
}
