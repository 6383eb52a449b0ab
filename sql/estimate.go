package sql

import (
	"slices"

	"github.com/signallake/signallake/lake"
)

// Cost is what the scans of a statement read, by the catalog's books.
type Cost struct {
	Files   int // that some scan reads
	Bytes   int64
	Columns []string // of events, in the order of lake.Columns, without the partition keys, which cost nothing
}

// CostOf adds up footers and needed column chunks of the files that survive pruning, for each scan: a file that two scans read is paid
// twice, as every engine does it.
func CostOf(files []lake.FileEntry, scans []Scan, leeway Leeway) Cost {
	var cost Cost
	for i := range scans {
		need := neededColumns(scans[i : i+1])
		for _, f := range Prune(files, scans[i:i+1], leeway) {
			cost.Bytes += fileBytes(f, need)
		}
	}
	cost.Files = len(Prune(files, scans, leeway))
	need := neededColumns(scans)
	for i, c := range lake.FileColumns() {
		if need[i] {
			cost.Columns = append(cost.Columns, c.Name)
		}
	}
	return cost
}

// CostOfFiles is what reading some columns of some files costs.
func CostOfFiles(files []*lake.FileEntry, columns []string) Cost {
	cost := Cost{Files: len(files)}
	need := neededColumns([]Scan{{Columns: columns}})
	for _, f := range files {
		cost.Bytes += fileBytes(f, need)
	}
	for i, c := range lake.FileColumns() {
		if need[i] {
			cost.Columns = append(cost.Columns, c.Name)
		}
	}
	return cost
}

// neededColumns marks the columns that a scan reads, in the order of FileColumns.
func neededColumns(scans []Scan) []bool {
	columns := lake.FileColumns()
	need := make([]bool, len(columns))
	for i, c := range columns {
		need[i] = slices.ContainsFunc(scans, func(s Scan) bool { return slices.Contains(s.Columns, c.Name) })
	}
	return need
}

// fileBytes is what reading the columns of one file fetches. A file whose column sizes are not known counts whole.
func fileBytes(f *lake.FileEntry, need []bool) int64 {
	if len(f.ColumnBytes) != len(need) {
		return f.Bytes
	}
	n := f.FooterBytes
	for i, size := range f.ColumnBytes {
		if need[i] {
			n += size
		}
	}
	return n
}

// AllColumns is a scan of everything: what is assumed of a statement that could not be planned.
func AllColumns() Scan {
	var s Scan
	for _, c := range lake.Columns() {
		s.Columns = append(s.Columns, c.Name)
	}
	return s
}
