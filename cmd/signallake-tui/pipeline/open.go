package pipeline

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql/duck"
)

// The lake of many files: what a checkpoint lists, and commits after it.
const (
	manyFiles    = 60_000
	manyCommits  = 63
	aCommit      = 200
	manyServices = 25
	manyPlans    = 24 // pruned queries that are planned in a round
)

// measureOpen opens a lake whose catalog names 60,000 files, and plans queries on it that one service and day answer. The files themselves are not there:
// neither opens one.
func measureOpen(ctx context.Context, c *corpus, o *outcome) error {
	dir := filepath.Join(c.dir, "many-files")
	if err := c.makeMany(ctx, dir); err != nil {
		return err
	}
	var opens, plans []float64
	right := true
	c.beginRounds(1)
	for round := -1; round < c.cfg.Rounds; round++ {
		runtime.GC()
		started := time.Now()
		l, err := c.openLake(ctx, dir)
		took := time.Since(started)
		if err != nil {
			return err
		}
		right = right && len(l.Current().Files) == manyFiles
		each, pruned, err := c.planMany(ctx, l)
		if err = errors.Join(err, l.Close()); err != nil {
			return err
		}
		right = right && pruned
		c.cfg.Progress.Add(1)
		if round >= 0 {
			opens, plans = append(opens, milliseconds(took)), append(plans, each)
		}
	}
	o.add("open", opens, nil).equal(right).note("%d files in a checkpoint and %d commits of %d; the owner's opening, until questions can be planned", manyFiles-manyCommits*aCommit, manyCommits, aCommit)
	o.add("plan", plans, nil).equal(right).note("parse, check, plan, prune to one service and day, and add up the cost; a sample is the median of %d different queries", manyPlans)
	return nil
}

// planMany plans different queries and answers the median, and whether each came down to the files of its pair.
func (c *corpus) planMany(ctx context.Context, l *lake.Lake) (ms float64, pruned bool, err error) {
	e, err := duck.Open(ctx, duck.Config{Lake: l, Now: c.cfg.Now})
	if err != nil {
		return 0, false, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	pruned = true
	var times []float64
	files := l.Current().Files
	for i := range manyPlans {
		f := &files[len(files)*i/manyPlans]
		want := 0
		for k := range files {
			if files[k].Partition.Date == f.Partition.Date && files[k].Partition.Service == f.Partition.Service {
				want++
			}
		}
		started := time.Now()
		estimate, err := e.Estimate(ctx, pair{f.Partition.Service, f.Partition.Date}.p95("events"))
		took := time.Since(started)
		if err != nil {
			return 0, false, err
		}
		pruned = pruned && estimate.Files == want
		times = append(times, milliseconds(took))
	}
	return median(sorted(times)), pruned, nil
}

// makeMany commits the names of files that are not there.
func (c *corpus) makeMany(ctx context.Context, dir string) error {
	l, err := c.openLake(ctx, dir)
	if err != nil {
		return err
	}
	for made := 0; made < manyFiles && err == nil; {
		n := aCommit
		if made == 0 {
			n = manyFiles - manyCommits*aCommit
		}
		_, err = l.Commit(ctx, manyTx(l.Current().Watermark, made, n))
		made += n
	}
	return errors.Join(err, l.Close())
}

// manyTx adds n files of one event each: of all services on one day after the other.
func manyTx(watermark lake.Seq, made, n int) lake.Tx {
	tx := lake.Tx{ID: lake.NewTxID(), ExpectWatermark: watermark, NewWatermark: watermark + lake.Seq(n), Converted: int64(n)}
	for i := range n {
		number, seq := made+i, watermark+lake.Seq(i)
		day := lake.DateOf(corpusStart()) + lake.Date(number/aCommit)
		at := day.Start() + lake.Micros(number%aCommit)*1_000_000
		f := lake.FileEntry{Partition: lake.Partition{Date: day, Service: fmt.Sprintf("service-%c", 'a'+number%manyServices), Status: int32(200 + number%aCommit/manyServices)},
			Name: fmt.Sprintf("%s-%06d.parquet", tx.ID, number), Rows: 1, Bytes: int64(10_000 + number%1000), CRC32C: uint32(number), MinTS: at, MaxTS: at, MinSeq: seq, MaxSeq: seq, FooterBytes: 4000}
		for k := range lake.FileColumns() {
			f.ColumnBytes = append(f.ColumnBytes, int64(1000+number*k%90_000))
		}
		tx.Add = append(tx.Add, f)
	}
	return tx
}
