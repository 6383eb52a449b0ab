package lake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ConvertUnpartitioned makes the twin that the benchmark compares with: one Parquet file, processed/unpartitioned/v<version>.parquet, of
// everything in the current version's files (not the hot tail), ordered by timestamp, with the partition key as ordinary columns. It is
// never part of `events`. The older twin goes once the new one is in place. It takes as much memory as one window of the day at work (see
// twinWriter), and waits for no conversion, nor does one wait for it.
func (l *Lake) ConvertUnpartitioned(ctx context.Context, p *Progress) (ConvertResult, error) {
	started := time.Now()
	var result ConvertResult
	if err := l.writable(); err != nil {
		return result, err
	}
	pin := l.Pin()
	defer pin.Release()
	result.Version = pin.Version.Number
	id := l.beginTx()
	entry, err := l.writeTwin(ctx, id, pin.Version, p)
	l.endTx(id, err == nil)
	result.Elapsed = time.Since(started)
	if err != nil {
		return result, fmt.Errorf("convert to one file: %w", err)
	}
	result.Events, result.Files, result.Bytes = entry.Rows, 1, entry.Bytes
	return result, nil
}

// writeTwin writes the twin of v and puts it in place of older ones.
func (l *Lake) writeTwin(ctx context.Context, id string, v *Version, p *Progress) (FileEntry, error) {
	var entry FileEntry
	dir := filepath.Join(l.layout.Tmp(), id)
	if err := l.disk.MkdirAll(dir); err != nil {
		return entry, err
	}
	temp := filepath.Join(dir, "twin.parquet")
	file, err := l.disk.Create(temp)
	if err != nil {
		return entry, err
	}
	w := newTwinWriter(l.layout, file, p)
	if entry, err = w.writeAll(ctx, v); err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return entry, err
	}
	p.Start("commit", entry.Rows)
	if err := ctx.Err(); err != nil {
		return entry, err
	}
	older, err := l.twins()
	if err != nil {
		return entry, err
	}
	if err := l.disk.MkdirAll(l.layout.Unpartitioned()); err != nil {
		return entry, err
	}
	name := twinName(v.Number)
	if err := l.disk.Rename(temp, filepath.Join(l.layout.Unpartitioned(), name)); err != nil {
		return entry, err
	}
	if err := l.disk.SyncDir(l.layout.Unpartitioned()); err != nil {
		return entry, err
	}
	for _, t := range older {
		if t.Version != v.Number {
			_ = l.disk.Remove(t.Path) // a stale twin does no harm: readers take the newest
		}
	}
	_ = l.disk.Remove(dir) // it is empty; the sweep would take it
	p.Add(entry.Rows)
	return entry, nil
}

// Twin is the unpartitioned copy of one version.
type Twin struct {
	Path    string
	Version uint64
}

// Unpartitioned is the newest twin; false when there is none.
func (l *Lake) Unpartitioned() (Twin, bool, error) {
	twins, err := l.twins()
	if err != nil || len(twins) == 0 {
		return Twin{}, false, err
	}
	return slices.MaxFunc(twins, func(a, b Twin) int { return cmp.Compare(a.Version, b.Version) }), true, nil
}

func twinName(version uint64) string { return "v" + strconv.FormatUint(version, 10) + ".parquet" }

// twins are the files in the unpartitioned zone that are ours.
func (l *Lake) twins() ([]Twin, error) {
	entries, err := os.ReadDir(l.layout.Unpartitioned())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var twins []Twin
	for _, entry := range entries {
		digits := strings.TrimSuffix(strings.TrimPrefix(entry.Name(), "v"), ".parquet")
		if n, err := strconv.ParseUint(digits, 10, 64); err == nil && entry.Name() == twinName(n) {
			twins = append(twins, Twin{Path: filepath.Join(l.layout.Unpartitioned(), entry.Name()), Version: n})
		}
	}
	return twins, nil
}
