package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/signallake/signallake/lake"
)

func TestPickAndGroups(t *testing.T) {
	l := openLake(t, t.TempDir(), nil)
	d := deskOf(l)
	letter := func(source, field, reason string) lake.DeadLetter {
		x := sent("{}")
		x.Source, x.Field, x.Reason = source, field, reason
		return x
	}
	bury(t, l, letter("api a", "latency_ms", `must be a number, got "x"`), letter("api a", "latency_ms", "must be a number, got nothing of it"), letter("api b", "", "is bad"))
	all, err := d.Groups(t.Context())
	if err != nil || len(all) != 2 || all[0].Kind != "latency_ms: must be a number" || all[0].Letters != 2 || all[0].Example.ID != 2 || all[1].Kind != "is bad" {
		t.Fatalf("%+v, %v", all, err)
	}
	var again []Group
	text, err := json.Marshal(all)
	if err := errors.Join(err, json.Unmarshal(text, &again)); err != nil || fmt.Sprint(again) != fmt.Sprint(all) {
		t.Fatalf("%s: %+v, %v", text, again, err)
	}
	try := func(p Pick, want ...int64) {
		t.Helper()
		list, err := d.List(t.Context(), p, 10)
		var got []int64
		for i := range list {
			got = append(got, list[i].ID)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%+v: %v, %v; want %v", p, got, err, want)
		}
	}
	try(Pick{}, 3, 2, 1)
	try(Pick{Source: "API B"}, 3)
	try(Pick{Reason: "LATENCY_MS: must"}, 2, 1)
	try(Pick{Kind: "latency_ms: must be a number"}, 2, 1)
	try(Pick{Kind: "latency_ms"})
	try(Pick{IDs: []int64{3, 1, 77}}, 3, 1)
	try(Pick{Groups: []Key{all[0].Key(), {"api b", "other"}}}, 2, 1)
	try(Pick{Upto: 2}, 2, 1)
	if list, err := d.List(t.Context(), Pick{}, 2); err != nil || len(list) != 2 || list[0].ID != 3 || list[1].ID != 2 {
		t.Errorf("the newest two: %+v, %v", list, err)
	}

	path := filepath.Join(t.TempDir(), "out.jsonl")
	if n, err := d.Export(t.Context(), Pick{Source: "api a"}, path); n != 2 || err != nil {
		t.Fatalf("export: %d, %v", n, err)
	}
	out, err := os.ReadFile(path)
	if err != nil || strings.Count(string(out), "\n") != 2 || !strings.HasPrefix(string(out), `{"id":1,`) {
		t.Errorf("%s, %v", out, err)
	}
	if _, err := d.Export(t.Context(), Pick{}, path); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("a second export: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Export(ctx, Pick{}, path+"2"); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled export: %v", err)
	}
	if names, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
	if n, err := d.Discard(t.Context(), Pick{IDs: []int64{2}}); n != 1 || err != nil {
		t.Errorf("discard: %d, %v", n, err)
	}
	try(Pick{}, 3, 1)
}
