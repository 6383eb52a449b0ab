package lake

import (
	"fmt"
	"path/filepath"
)

// Layout knows the place of every file of a lake.
type Layout struct {
	Root string // the data folder
}

// The zones. Each is one folder with one purpose; docs/ARCHITECTURE.md tells who writes and who reads it.
func (l Layout) Raw() string           { return filepath.Join(l.Root, "raw") }
func (l Layout) Partitioned() string   { return filepath.Join(l.Root, "processed", "partitioned") }
func (l Layout) Unpartitioned() string { return filepath.Join(l.Root, "processed", "unpartitioned") }
func (l Layout) Hot() string           { return filepath.Join(l.Root, "hot") }
func (l Layout) Rollup() string        { return filepath.Join(l.Root, "rollup") }
func (l Layout) Dead() string          { return filepath.Join(l.Root, "dead") }
func (l Layout) Catalog() string       { return filepath.Join(l.Root, "catalog") }
func (l Layout) Tmp() string           { return filepath.Join(l.Root, "tmp") }
func (l Layout) Trash() string         { return filepath.Join(l.Root, "trash") }
func (l Layout) Quarantine() string    { return filepath.Join(l.Root, "quarantine") }
func (l Layout) State() string         { return filepath.Join(l.Root, "state") }

// Window holds what makes the events of the raw segments that are compared with new ones known fast when the lake is opened.
func (l Layout) Window() string { return filepath.Join(l.State(), "window") }

// SegmentData and SegmentIndex name the two files of the raw segment whose first event is seq. Names sort in the order of seq.
func (l Layout) SegmentData(first Seq) string {
	return filepath.Join(l.Raw(), fmt.Sprintf("%020d.jsonl", int64(first)))
}

func (l Layout) SegmentIndex(first Seq) string {
	return filepath.Join(l.Raw(), fmt.Sprintf("%020d.idx", int64(first)))
}

// Journal holds the newest small groups of the open segment until its files are synced.
func (l Layout) Journal() string { return filepath.Join(l.Raw(), "journal") }

// sideSuffix ends the name of a segment's side file.
const sideSuffix = ".side"

// SegmentSide names the side file of a raw segment, a cache that may be removed at will.
func (l Layout) SegmentSide(first Seq) string {
	return filepath.Join(l.Window(), fmt.Sprintf("%020d"+sideSuffix, int64(first)))
}

// DeadFile is the file of the dead zone that begins with the letter of this ID, or a later one.
func (l Layout) DeadFile(first int64) string {
	return filepath.Join(l.Dead(), fmt.Sprintf("%020d.jsonl", first))
}
