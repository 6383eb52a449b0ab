package lake_test

import (
	"math/rand/v2"
	"testing"

	"github.com/signallake/signallake/lake"
)

// TestRunsHandTheirMemoryOn converts in many runs, each of other events, services and texts, with what the one before used.
func TestRunsHandTheirMemoryOn(t *testing.T) {
	dir := t.TempDir()
	l, err := lake.Open(t.Context(), lake.Config{Dir: dir, ConvertAge: -1, SegmentBytes: 64 << 10, Now: fixedNow, Owner: lake.Owner{Command: "test"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	l.ConvertInRunsOf(600 << 10)
	c := &convertLake{Lake: l, dir: dir, random: rand.New(rand.NewPCG(4, 4)), sent: map[lake.Seq]lake.Event{}}
	for i := range 12 {
		c.narrow = i%3 == 1 // and then there are more partitions than before
		c.append(t, 100+900*(i%4), 1+i%5)
	}
	result := c.convert(t)
	if result.Commits < 4 || result.Events != int64(len(c.sent)) {
		t.Fatalf("%+v of %d events", result, len(c.sent))
	}
	mustCheck(t, c)
	mustCountCells(t, c)
}

// TestConversionsHandTheirMemoryOn converts again and again, each time other events with what the last conversion used, also several at once.
func TestConversionsHandTheirMemoryOn(t *testing.T) {
	c := openConvertLake(t, t.TempDir(), nil, nil)
	c.KeepConvertMemory()
	for i := range 6 {
		c.narrow = i%3 == 1
		c.append(t, 100+900*(i%4), 1+i%5)
		c.convertAtOnce(t)
		if !c.ConvertMemoryKept() {
			t.Error("no memory was kept")
		}
		if i == 3 {
			c.DropIdleConvertMemory()
		}
	}
	mustCheck(t, c)
	first := c.Current().Watermark
	c.append(t, 5000, 2)
	if err := c.Seal(); err != nil {
		t.Fatal(err)
	}
	path := c.Layout().SegmentData(first)
	flipBit(t, path)
	if _, err := c.Convert(t.Context(), nil); err == nil || c.ConvertMemoryKept() {
		t.Errorf("after %v: memory of a failed conversion is kept: %v", err, c.ConvertMemoryKept())
	}
	flipBit(t, path)
	c.convert(t)
	mustCheck(t, c)
	if err := c.Close(); err != nil || c.ConvertMemoryKept() {
		t.Errorf("closed with %v, memory is kept: %v", err, c.ConvertMemoryKept())
	}
}
