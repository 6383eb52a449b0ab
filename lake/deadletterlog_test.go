package lake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Any byte of a file may change: the letter that it belongs to is missed and counted, the others are listed, and new ones are kept.
func TestDeadLettersGarbled(t *testing.T) {
	dir := t.TempDir()
	l := openOwner(t, dir)
	all := mustBury(t, l, lettersOf("a", 4))
	path := l.layout.DeadFile(1)
	closeLake(t, l)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	last := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	for at := range whole {
		if testing.Short() && at%9 != 0 { // the race detector's run
			continue
		}
		bad := bytes.Clone(whole)
		bad[at] ^= 1
		rewrite(t, path, bad)
		line := bytes.Count(whole[:at], []byte{'\n'}) // 0 is the first line, 1 the letter 1
		want := slices.Clone(all)
		if whole[at] == '\n' && line > 0 && line < 4 {
			want = slices.Delete(want, line-1, line+1) // two lines are one
		} else if line > 0 {
			want = slices.Delete(want, line-1, line)
		} else if whole[at] == '\n' {
			want = want[1:]
		}
		reader := openFollower(t, dir)
		wantLetters(t, fmt.Sprintf("byte %d, a reader", at), readDead(t, reader, 0), want)
		if s := reader.DeadStatus(); (s.Damaged != 1) != (at >= last-1) { // at the end it looks like a torn line
			t.Fatalf("byte %d: %+v", at, s)
		}
		closeLake(t, reader)
		l := openOwner(t, dir)
		wantLetters(t, fmt.Sprintf("byte %d, the owner", at), readDead(t, l, 0), want)
		fresh := mustBury(t, l, lettersOf("fresh", 1))
		if fresh[0].ID <= want[len(want)-1].ID {
			t.Fatalf("byte %d: ID %d", at, fresh[0].ID)
		}
		wantLetters(t, fmt.Sprintf("byte %d, and a new one", at), readDead(t, l, 0), append(want, fresh...))
		closeLake(t, l)
		for _, e := range mustReadDir(t, l.layout.Dead()) {
			if err := os.Remove(filepath.Join(l.layout.Dead(), e.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func mustReadDir(t testing.TB, dir string) []os.DirEntry {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// A newer release's file is refused before anything is changed; a foreign file is left alone; a lake without the folder gets one.
func TestDeadZoneOfOthers(t *testing.T) {
	dir := t.TempDir()
	l := openOwner(t, dir)
	mustBury(t, l, lettersOf("a", 1))
	foreign := filepath.Join(l.layout.Dead(), "notes.jsonl")
	rewrite(t, foreign, []byte("mine"))
	closeLake(t, l)
	newer, err := appendDeadRecord(nil, deadRecord{Dead: &deadHeader{Format: deadFormat + 1, First: 9, End: 9}})
	if err != nil {
		t.Fatal(err)
	}
	rewrite(t, l.layout.DeadFile(9), append(newer, "torn"...))
	before := listing(t, l.layout.Dead())
	if _, err := Open(t.Context(), Config{Dir: dir}); !errors.Is(err, ErrNewer) || !strings.Contains(err.Error(), l.layout.DeadFile(9)) {
		t.Fatalf("got %v", err)
	}
	if after := listing(t, l.layout.Dead()); after != before {
		t.Fatalf("before\n%s\nafter\n%s", before, after)
	}
	reader := openFollower(t, dir)
	if err := reader.DeadLetters(0, func(*DeadLetter) error { return nil }); !errors.Is(err, ErrNewer) {
		t.Fatalf("a reader got %v", err)
	}
	if err := os.RemoveAll(l.layout.Dead()); err != nil {
		t.Fatal(err)
	}
	if got := readDead(t, reader, 0); len(got) != 0 {
		t.Fatalf("got %v", got)
	}
	l = openOwner(t, dir)
	wantLetters(t, "without the folder", readDead(t, l, 0), nil)
	wantLetters(t, "and then", mustBury(t, l, lettersOf("a", 2)), readDead(t, reader, 0))
}

// Many short runs go on with the newest file instead of leaving one each.
func TestDeadLettersShareAFile(t *testing.T) {
	dir := t.TempDir()
	var all []DeadLetter
	for i := range 10 {
		l := openOwner(t, dir)
		all = append(all, mustBury(t, l, lettersOf(fmt.Sprint(i), 2))...)
		wantLetters(t, "each time", readDead(t, l, 0), all)
		closeLake(t, l)
		if names, err := listDead(l.layout); err != nil || len(names) != 1 {
			t.Fatalf("%v, %v", names, err)
		}
	}
}

// syncCounter counts the syncs of files, and holds the first until many wait.
type syncCounter struct {
	Disk
	syncs atomic.Int64
	hold  chan struct{}
}

type countedFile struct {
	File
	disk *syncCounter
}

func (d *syncCounter) Create(path string) (File, error) {
	f, err := d.Disk.Create(path)
	return countedFile{f, d}, err
}

func (f countedFile) Sync() error {
	if f.disk.syncs.Add(1) == 1 {
		<-f.disk.hold
	}
	return f.File.Sync()
}

// What is buried while a sync runs goes with the next one, all together; a caller who gives up does not take the others along.
func TestBuryTogether(t *testing.T) {
	layout := Layout{Root: t.TempDir()}
	if err := os.MkdirAll(layout.Dead(), 0o755); err != nil {
		t.Fatal(err)
	}
	disk := &syncCounter{Disk: OSDisk{}, hold: make(chan struct{})}
	z, err := openDeadZone(layout, disk, time.Now, 1<<20, func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	const callers = 50
	ids := make(chan int64, 2*callers)
	var wg sync.WaitGroup
	bury := func() {
		letters := lettersOf("a", 2)
		if err := z.bury(context.Background(), letters); err != nil {
			t.Error(err)
		}
		ids <- letters[0].ID
		ids <- letters[1].ID
	}
	wg.Go(bury)
	eventually(t, "the first sync begins", func() bool { return disk.syncs.Load() == 1 })
	for range callers - 1 {
		wg.Go(bury)
	}
	gathered := func() int64 {
		z.gathering.Lock()
		defer z.gathering.Unlock()
		if z.gathers == nil {
			return 0
		}
		return z.gathers.n
	}
	eventually(t, "all wait", func() bool { return gathered() == 2*(callers-1) })
	ctx, cancel := context.WithCancel(t.Context())
	var impatient error
	wg.Go(func() { impatient = z.bury(ctx, lettersOf("impatient", 1)) })
	eventually(t, "one more waits", func() bool { return gathered() == 2*callers-1 })
	cancel()
	close(disk.hold)
	wg.Wait()
	close(ids)
	if impatient != nil && !errors.Is(impatient, context.Canceled) {
		t.Error(impatient)
	}
	if n := disk.syncs.Load(); n != 2 {
		t.Errorf("%d syncs", n)
	}
	seen := map[int64]bool{}
	for id := range ids {
		seen[id] = true
	}
	if len(seen) != 2*callers || z.status().Kept != 2*callers+1 {
		t.Errorf("%d IDs, %+v", len(seen), z.status())
	}
}
