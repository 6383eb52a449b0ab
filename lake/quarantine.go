package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// Quarantine takes a damaged file of Version.Files out of the lake, so that questions work again: its rows are not visible any more and stand
// in the ledger as quarantined. The file is kept under quarantine/. A file that is already out is an ErrConflict.
func (l *Lake) Quarantine(ctx context.Context, f FileEntry) (*Version, error) {
	if l.cfg.ReadOnly {
		return nil, ErrReadOnly
	}
	path := l.layout.Path(&f)
	kept := filepath.Join(l.layout.Quarantine(), strings.ReplaceAll(f.Partition.Dir(), "/", ",")+","+f.Name)
	err := l.disk.Link(path, kept)
	if err != nil && !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("quarantine %s: %w", path, err)
	}
	if err := l.disk.SyncDir(l.layout.Quarantine()); err != nil {
		return nil, fmt.Errorf("quarantine %s: %w", path, err)
	}
	for {
		before := l.Current()
		w := before.Watermark
		v, err := l.Commit(ctx, Tx{ID: NewTxID(), ExpectWatermark: w, NewWatermark: w, Remove: []FileEntry{f}, Quarantined: f.Rows})
		if !errors.Is(err, ErrConflict) || l.Current().Watermark == w {
			return v, err
		} // a conversion came first: once more above its watermark
	}
}
