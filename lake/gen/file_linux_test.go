package gen

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFillGivesRoomBack: what is asked for ahead is no part of the file, and goes when the lines are complete or the disk is full.
func TestFillGivesRoomBack(t *testing.T) {
	cfg := Config{Seed: 7, Count: 50_000, End: testEnd}
	want := run(t, cfg, 1)
	check := func(f *os.File, n int64) {
		t.Helper()
		var info unix.Stat_t
		if err := errors.Join(f.Sync(), unix.Fstat(int(f.Fd()), &info)); err != nil {
			t.Fatal(err)
		}
		if info.Size != n || !bytes.Equal(contents(t, f), want[:n]) {
			t.Errorf("%d bytes, or not the first %d of the lines", info.Size, n)
		}
		if taken := info.Blocks * 512; taken > n+1<<20 {
			t.Errorf("%d bytes take %d of the disk", n, taken)
		}
	}
	f := newFile(t)
	if _, err := mustNew(t, cfg).Fill(t.Context(), 2, f); err != nil {
		t.Fatal(err)
	}
	check(f, int64(len(want)))

	const limit = 5_000_001 // of the size of a file, which stops a write as a full disk does: in the middle
	var before unix.Rlimit
	if err := unix.Prlimit(0, unix.RLIMIT_FSIZE, nil, &before); err != nil {
		t.Fatal(err)
	}
	if err := unix.Prlimit(0, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: limit, Max: before.Max}, nil); err != nil {
		t.Fatal(err)
	}
	f = newFile(t)
	n, err := mustNew(t, cfg).Fill(t.Context(), 2, f)
	if back := unix.Prlimit(0, unix.RLIMIT_FSIZE, &before, nil); back != nil {
		t.Fatal(back)
	}
	if n <= limit-2<<20 || n > limit || !errors.Is(err, unix.EFBIG) { // of the write that failed nothing counts
		t.Errorf("a write that is stopped after %d bytes: %d, %v", limit, n, err)
	}
	check(f, n)
}
