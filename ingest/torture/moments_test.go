package torture

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/signallake/signallake/lake"
)

func TestPlan(t *testing.T) {
	of := func(seed uint64, kills int) []trial {
		return plan(Config{Kills: kills, Events: 1_000_000, Stops: 2, Fulls: 1}, rand.New(rand.NewPCG(seed, 0)))
	}
	if !slices.Equal(of(3, 50), of(3, 50)) || slices.Equal(of(3, 50), of(4, 50)) {
		t.Error("the plan does not follow the seed alone")
	}
	for _, kills := range []int{1, 2, 5, 10, 50} {
		trials := of(1, kills)
		kinds, events := map[Kind]int{}, int64(0)
		for _, tr := range trials {
			kinds[tr.kind]++
			events += tr.events
		}
		if len(trials) != kills-1+3 || kinds[Stop] != 2 || kinds[Full] != 1 {
			t.Errorf("%d kills: %v", kills, kinds)
		}
		if events > 1_500_000 {
			t.Errorf("%d kills: %d events before the last one", kills, events)
		}
		for k := range killKinds {
			if kills >= 11 && kinds[k] == 0 {
				t.Errorf("%d kills: none %s", kills, k.moment())
			}
		}
		if kills == 5 && kinds[Convert]+kinds[Recovery]+kinds[Commit]+kinds[Seal] != 4 {
			t.Errorf("a run of five kills is to have four kinds: %v", kinds)
		}
	}
	for k := range Full + 1 {
		if k != killKinds && k.String() == "" || k < killKinds && k.moment() == "" {
			t.Errorf("kind %d has no name", k)
		}
	}
}

func TestDueCheckpoint(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, n int) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf(name, n)), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	look := func() string {
		t.Helper()
		due, err := dueCheckpoint(dir)
		if err != nil {
			t.Fatal(err)
		}
		return due
	}
	empty := look()
	put("v%020d.jsonl", checkpointEvery-1)
	if got := look(); got != empty {
		t.Errorf("%q before it is due", got)
	}
	put("v%020d.jsonl", checkpointEvery)
	due := look()
	if due == empty {
		t.Error("it is due and nothing has changed")
	}
	put("checkpoint-%020d.jsonl", checkpointEvery)
	if got := look(); got == due || got == empty {
		t.Errorf("%q once it is written", got)
	}
}

func TestValidate(t *testing.T) {
	good := Config{Kills: 1, Events: 1}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*Config){
		"no kills": func(c *Config) { c.Kills = 0 }, "no events": func(c *Config) { c.Events = 0 }, "too many clients": func(c *Config) { c.Clients = maxClients + 1 },
		"too large": func(c *Config) { c.Batch = maxBatch + 1 }, "negative": func(c *Config) { c.Stops = -1 },
	} {
		c := good
		spoil(&c)
		if c.Validate() == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// TestExchange: a kill at a checkpoint is owed until one is near, and then made before another kind's.
func TestExchange(t *testing.T) {
	dir := t.TempDir()
	catalog := lake.Layout{Root: dir}.Catalog()
	if err := os.Mkdir(catalog, 0o755); err != nil {
		t.Fatal(err)
	}
	r := &run{cfg: Config{Dir: dir}}
	f := func(commits int, planned, done Kind, owed int) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(catalog, fmt.Sprintf("v%020d.jsonl", commits)), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		tr := trial{kind: planned}
		if err := r.exchange(&tr); err != nil || tr.kind != done || r.owed != owed {
			t.Errorf("after %d commits %s becomes %s with %d owed (%v), want %s and %d", commits, planned, tr.kind, r.owed, err, done, owed)
		}
	}
	f(1, Convert, Convert, 0)
	f(2, Checkpoint, Random, 1)
	f(3, Checkpoint, Random, 2)
	f(checkpointEvery-nearCommits-1, Commit, Commit, 2)
	f(checkpointEvery-nearCommits, Stop, Stop, 2)
	f(checkpointEvery-nearCommits, Commit, Checkpoint, 1)
	f(checkpointEvery-nearCommits+1, Checkpoint, Checkpoint, 1)
	f(checkpointEvery, Random, Checkpoint, 0)
	f(checkpointEvery, Random, Random, 0)
}
