package lake

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// goneFile is a file that a version removed and that the sweep has not yet taken away.
type goneFile struct {
	entry   FileEntry
	rollup  bool
	version uint64 // that removed it: pins of older versions still need it
	at      Micros
}

// emptyVersion is the lake before its first commit: seqs start at 1.
func emptyVersion() *Version {
	return &Version{Watermark: 1, Ledger: Ledger{RetiredTo: 1}}
}

// compareEntries is the order of Version.Files. No two live files are equal in it.
func compareEntries(a, b *FileEntry) int {
	if c := a.Partition.Compare(b.Partition); c != 0 {
		return c
	}
	return cmp.Or(cmp.Compare(a.MinSeq, b.MinSeq), strings.Compare(a.Name, b.Name))
}

// fileKey is a file's identity.
type fileKey struct {
	partition Partition
	name      string
}

func keyOf(f *FileEntry) fileKey { return fileKey{f.Partition, f.Name} }

// fileEdit gathers additions and removals over an ordered list and applies them in one merge, however many versions they come from.
type fileEdit struct {
	base    []FileEntry
	added   map[fileKey]FileEntry
	removed map[fileKey]bool // of base
}

func newFileEdit(base []FileEntry) fileEdit {
	return fileEdit{base: base, added: map[fileKey]FileEntry{}, removed: map[fileKey]bool{}}
}

// live says whether the file is in the list as edited so far.
func (e *fileEdit) live(f *FileEntry) bool {
	key := keyOf(f)
	if _, ok := e.added[key]; ok {
		return true
	}
	_, ok := slices.BinarySearchFunc(e.base, f, func(a FileEntry, b *FileEntry) int { return compareEntries(&a, b) })
	return ok && !e.removed[key]
}

func (e *fileEdit) add(f FileEntry) error {
	if e.live(&f) {
		return fmt.Errorf("file %s is added twice", f.Name)
	}
	e.added[keyOf(&f)] = f
	return nil
}

var errNotLive = errors.New("is not live")

func (e *fileEdit) remove(f *FileEntry) error {
	if !e.live(f) {
		return fmt.Errorf("file %s/%s %w", f.Partition.Dir(), f.Name, errNotLive)
	}
	key := keyOf(f)
	if _, ok := e.added[key]; ok {
		delete(e.added, key)
		return nil
	}
	e.removed[key] = true
	return nil
}

// result is the edited list in order; the base itself when nothing changed.
func (e *fileEdit) result() []FileEntry {
	if len(e.added) == 0 && len(e.removed) == 0 {
		return e.base
	}
	added := make([]FileEntry, 0, len(e.added))
	for _, f := range e.added {
		added = append(added, f)
	}
	sortEntries(added)
	out := make([]FileEntry, 0, len(e.base)-len(e.removed)+len(added))
	next := 0
	for i := range e.base {
		f := &e.base[i]
		if len(e.removed) > 0 && e.removed[keyOf(f)] {
			continue
		}
		for next < len(added) && compareEntries(&added[next], f) < 0 {
			out = append(out, added[next])
			next++
		}
		out = append(out, *f)
	}
	return append(out, added[next:]...)
}

// sortEntries puts entries in order; they mostly are.
func sortEntries(files []FileEntry) {
	compare := func(a, b FileEntry) int { return compareEntries(&a, &b) }
	if !slices.IsSortedFunc(files, compare) {
		slices.SortFunc(files, compare)
	}
}

// buildVersion applies the objects of consecutive commits to base. gone gets what they removed.
func buildVersion(base *Version, gone []goneFile, objects []*catalogObject) (*Version, []goneFile, error) {
	files, rollups := newFileEdit(base.Files), newFileEdit(base.Rollups)
	gone = slices.Clip(gone)
	next := *base
	for _, o := range objects {
		h := &o.header
		if h.Version != next.Number+1 {
			return nil, nil, fmt.Errorf("version %d follows version %d: one is missing", h.Version, next.Number)
		}
		if h.ExpectWatermark != next.Watermark || h.Watermark < next.Watermark {
			return nil, nil, fmt.Errorf("version %d: %w", h.Version, watermarkError(h.ExpectWatermark, next.Watermark))
		}
		for i := range o.changes {
			c := &o.changes[i]
			var err error
			switch c.op {
			case opAdd:
				err = files.add(c.entry)
			case opAddRollup:
				err = rollups.add(c.entry)
			case opRemove, opRemoveRollup:
				edit := &files
				if c.op == opRemoveRollup {
					edit = &rollups
				}
				err = edit.remove(&c.entry)
				gone = append(gone, goneFile{entry: c.entry, rollup: c.op == opRemoveRollup, version: h.Version, at: h.CommittedAt})
			default:
				err = errors.New("a line that only a checkpoint has")
			}
			if err != nil {
				return nil, nil, fmt.Errorf("version %d: %w", h.Version, err)
			}
		}
		next.setHeader(h)
	}
	next.Files, next.Rollups = files.result(), rollups.result()
	return &next, gone, nil
}

func watermarkError(expected, is Seq) error {
	return fmt.Errorf("it expects the watermark %d, the catalog's is %d", expected, is)
}

// setHeader takes over what a header says of the whole state.
func (v *Version) setHeader(h *catalogHeader) {
	v.Number, v.TxID, v.CommittedAt, v.Watermark = h.Version, h.TxID, h.CommittedAt, h.Watermark
	v.Ledger = Ledger(h.Ledger)
}

// header is the version's own state as a header of the kind.
func (v *Version) header(kind string, expect Seq) catalogHeader {
	return catalogHeader{
		Format: catalogFormat, Kind: kind, Version: v.Number, TxID: v.TxID, CommittedAt: v.CommittedAt,
		ExpectWatermark: expect, Watermark: v.Watermark, Ledger: catalogLedger(v.Ledger),
	}
}
