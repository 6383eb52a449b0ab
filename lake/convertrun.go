package lake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
)

// conversion writes one run: exactly one file a partition, and one of minute cells. Everything is made below tmp/<id>/, made durable, then
// moved into place. Until the commit nothing of it is part of the lake.
type conversion struct {
	layout   Layout
	disk     Disk
	id       string // of the transaction
	memory   *convertMemory
	progress *Progress
}

// settlers is how many files wait for the disk at the same time: a disk's sync takes longer than writing a small file, and several at once
// take hardly longer than one.
const settlers = 8

// partFile is one file of a run.
type partFile struct {
	rows   int
	pieces []piece
	temp   string
	entry  FileEntry
}

// write writes the run's files and puts them into their folders, durably. On an error whatever was made is litter.
func (c *conversion) write(ctx context.Context, r *scannedRun) (files []FileEntry, cells FileEntry, err error) {
	dir := filepath.Join(c.layout.Tmp(), c.id)
	if err := c.disk.MkdirAll(dir); err != nil {
		return nil, cells, err
	}
	parts := make([]*partFile, len(r.partitions))
	for i, p := range r.partitions {
		parts[i] = &partFile{rows: r.rows[i], pieces: r.pieces[i], temp: filepath.Join(dir, strconv.Itoa(i)+".parquet"), entry: FileEntry{Partition: p}}
	}
	group := newTaskGroup(ctx)
	group.run(func(ctx context.Context) (err error) {
		cells, err = c.writeCells(ctx, r, filepath.Join(dir, "rollup.parquet"))
		return err
	})
	c.writeParts(group, r, parts)
	if err := group.wait(); err != nil {
		return nil, cells, err
	}
	if err := c.place(ctx, parts, filepath.Join(dir, "rollup.parquet"), &cells); err != nil {
		return nil, cells, err
	}
	_ = c.disk.Remove(dir) // it is empty; the sweep would take it
	for _, p := range parts {
		files = append(files, p.entry)
	}
	return files, cells, nil
}

// writeParts starts the workers that write the partitions' files, largest first so that none is left alone at the end, and those that
// wait for the disk.
func (c *conversion) writeParts(group *taskGroup, r *scannedRun, parts []*partFile) {
	order := slices.SortedStableFunc(slices.Values(parts), func(a, b *partFile) int { return cmp.Compare(b.rows, a.rows) })
	queue := make(chan *partFile, len(order))
	for _, p := range order {
		queue <- p
	}
	close(queue)
	type written struct {
		part *partFile
		file File
	}
	unsettled := make(chan written)
	var writers sync.WaitGroup
	for _, w := range c.memory.written {
		writers.Add(1)
		group.run(func(ctx context.Context) error {
			defer writers.Done()
			w.begin(r)
			for p := range queue {
				file, err := c.writePart(ctx, w, p)
				if err != nil {
					return fmt.Errorf("write %s: %w", p.entry.Partition.Dir(), err)
				}
				unsettled <- written{p, file}
			}
			return nil
		})
	}
	for range settlers {
		group.run(func(context.Context) error {
			for w := range unsettled { // to the end, also after an error: writers wait and files are open
				if err := errors.Join(w.file.Sync(), w.file.Close()); err != nil {
					group.fail(fmt.Errorf("write %s: %w", w.part.entry.Partition.Dir(), err))
				}
				c.progress.Add(w.part.entry.Rows)
			}
			return nil
		})
	}
	group.run(func(context.Context) error {
		writers.Wait()
		close(unsettled)
		return nil
	})
}

// writePart writes one file and leaves it open, not yet synced.
func (c *conversion) writePart(ctx context.Context, w *eventWriter, p *partFile) (File, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	file, err := c.disk.Create(p.temp)
	if err != nil {
		return nil, err
	}
	entry, err := w.write(ctx, file, p.pieces)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	entry.Partition = p.entry.Partition
	entry.Name = parquetName(entry.MinSeq, entry.MaxSeq, c.id)
	p.entry = entry
	return file, nil
}

// parquetName is how the lake's Parquet files are called; the sweep recognises them by it.
func parquetName(first, last Seq, id string) string {
	return fmt.Sprintf("%020d-%020d-%s.parquet", int64(first), int64(last), id)
}

// place moves the files into their folders and makes their names durable.
func (c *conversion) place(ctx context.Context, parts []*partFile, cellsTemp string, cells *FileEntry) error {
	group := newTaskGroup(ctx)
	queue := make(chan func() error, len(parts)+1)
	for _, p := range parts {
		queue <- func() error { return c.move(p.temp, c.layout.Path(&p.entry)) }
	}
	queue <- func() error { return c.move(cellsTemp, c.layout.RollupPath(cells)) }
	close(queue)
	for range settlers {
		group.run(func(ctx context.Context) error {
			for move := range queue {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := move(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.wait()
}

// move puts one file into a folder that no other file of the run goes to.
func (c *conversion) move(temp, path string) error {
	dir := filepath.Dir(path)
	if err := c.disk.MkdirAll(dir); err != nil {
		return err
	}
	if err := c.disk.Rename(temp, path); err != nil {
		return err
	}
	return c.disk.SyncDir(dir)
}
