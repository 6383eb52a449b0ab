package replay

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/signallake/signallake/lake"
)

const (
	// exampleBytes of a letter's text are more than a line of a screen shows.
	exampleBytes = 400
	// maxGroups are more than anybody reads; what comes beyond is counted in one group, so that letters which all differ cannot fill the memory.
	maxGroups = 1000
	othersAre = "(of many other kinds)"
)

// Others tells that the group is what lies beyond maxGroups: letters of many kinds, which no Key picks.
func (g *Group) Others() bool { return g.Kind == othersAre && g.Source == "" }

// groups counts letters by source and kind.
type groups map[Key]*Group

// add counts one letter. What of it must outlive the call is copied.
func (g groups) add(d *lake.DeadLetter) {
	key := Key{d.Source, KindOf(d)}
	if g[key] == nil && len(g) >= maxGroups {
		key = Key{"", othersAre}
	}
	one := g[key]
	if one == nil {
		one = &Group{Kind: key.Kind, Source: key.Source, First: d.At}
		g[key] = one
	}
	one.Letters++
	one.Field, one.Reason = d.Field, d.Reason
	one.First, one.Newest = min(one.First, d.At), max(one.Newest, d.At)
	one.Example = *d
	one.Example.Text = bytes.Clone(d.Text[:min(len(d.Text), exampleBytes)])
}

// merge counts a group of another run.
func (g groups) merge(other Group) {
	one := g[other.Key()]
	if one == nil {
		g[other.Key()] = &other
		return
	}
	other.Letters += one.Letters
	other.First, other.Newest = min(one.First, other.First), max(one.Newest, other.Newest)
	g[other.Key()] = &other
}

// sorted lists the groups, the largest first.
func (g groups) sorted() []Group {
	out := make([]Group, 0, len(g))
	for _, one := range slices.SortedFunc(maps.Values(g), func(a, b *Group) int {
		return cmp.Or(cmp.Compare(b.Letters, a.Letters), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Kind, b.Kind))
	}) {
		out = append(out, *one)
	}
	return out
}

// groupJSON is a Group as programs read it.
type groupJSON struct {
	Kind    string          `json:"kind"`
	Source  string          `json:"source"`
	Field   string          `json:"field"`
	Reason  string          `json:"reason"`
	Letters int64           `json:"letters"`
	First   time.Time       `json:"first"`
	Newest  time.Time       `json:"newest"`
	Example lake.DeadLetter `json:"example"`
}

// MarshalJSON writes the times as RFC 3339.
func (g Group) MarshalJSON() ([]byte, error) {
	return json.Marshal(groupJSON{g.Kind, g.Source, g.Field, g.Reason, g.Letters, g.First.Time(), g.Newest.Time(), g.Example})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (g *Group) UnmarshalJSON(text []byte) error {
	var j groupJSON
	if err := json.Unmarshal(text, &j); err != nil {
		return fmt.Errorf("read a group of dead letters: %w", err)
	}
	*g = Group{j.Kind, j.Source, j.Field, j.Reason, j.Letters, lake.MicrosOf(j.First), lake.MicrosOf(j.Newest), j.Example}
	return nil
}
