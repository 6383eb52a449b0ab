package tui

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signallake/signallake/ingest/replay"
	"github.com/signallake/signallake/lake"
)

// deadZone is a zone of dead letters in memory, which the contract itself decides about.
type deadZone struct {
	f       *fake
	letters []lake.DeadLetter // in the order of their IDs
	nextID  int64
	fail    error // every func answers it
	why     string
	listed  []replay.Pick
	ran     []replay.Params // dry runs included
	files   map[string][]int64
	calls   int           // of groups
	hold    chan struct{} // not nil: the answers wait for it
	asking  chan struct{} // gets a value for each answer that waits
}

// bury gives the fake a dead zone with letters of several kinds.
func (f *fake) bury() *deadZone {
	z := &deadZone{f: f, nextID: 1, files: map[string][]int64{}}
	f.letters = z
	at := fakeNow.Add(-90 * time.Minute)
	for i := range 41 {
		latency := fmt.Sprintf(`"%d"`, 12+i)
		if i%14 == 2 {
			latency = `"fast"`
		}
		z.add(at.Add(time.Duration(i)*2*time.Minute), "api 127.0.0.1", i+1, fmt.Sprintf(`{"timestamp":"2026-11-21T13:%02d:00Z","service_name":"checkout","endpoint":"/pay","status_code":200,"latency_ms":%s}`, i, latency))
	}
	for i := range 12 {
		z.add(at.Add(time.Duration(i)*time.Minute), "api payments", i+1, fmt.Sprintf(`{"timestamp":"2026-11-21T13:00:%02dZ","svc":"payments","message":"card declined"}`, i))
	}
	for i := range 5 {
		z.add(at.Add(-26*time.Hour), "import worker.jsonl", 100+i, fmt.Sprintf(`{"timestamp":"21/Nov/2026 13:00:%02d","service_name":"worker","message":"job %d done"}`, i, i))
	}
	z.add(at, "api 127.0.0.1", 3, `{"broken`)
	return z
}

// add refuses one line; what the contract takes cannot be buried.
func (z *deadZone) add(at time.Time, source string, line int, text string) {
	d := lake.DeadLetter{ID: z.nextID, At: lake.MicrosOf(at), Source: source, Origin: "request 9f2c", Line: int64(line), Text: []byte(text)}
	var e lake.Event
	_, err := lake.Contract{}.Parse(d.Text, d.At, &e)
	if fe := (*lake.FieldError)(nil); errors.As(err, &fe) {
		d.Field, d.Reason = fe.Field, fe.Reason
	} else {
		panic("the contract takes " + text)
	}
	z.put(d)
}

func (z *deadZone) put(d lake.DeadLetter) {
	z.f.mu.Lock()
	defer z.f.mu.Unlock()
	d.ID = z.nextID
	z.letters = append(z.letters, d)
	z.nextID++
	z.f.dead.Kept = int64(len(z.letters))
	z.f.dead.Bytes += int64(len(d.Text)) + 200
}

func kindOf(d *lake.DeadLetter) string {
	reason, _, _ := strings.Cut(d.Reason, ", got ")
	return reasonOf(d.Field, lake.ReasonKind(reason))
}

func picks(p replay.Pick, d *lake.DeadLetter) bool {
	return (len(p.IDs) == 0 || slices.Contains(p.IDs, d.ID)) && (len(p.Groups) == 0 || slices.Contains(p.Groups, replay.Key{Source: d.Source, Kind: kindOf(d)})) && (p.Upto == 0 || d.ID <= p.Upto)
}

// wait lets a test look at what is in flight.
func (z *deadZone) wait(ctx context.Context) error {
	z.f.mu.Lock()
	hold, asking, fail := z.hold, z.asking, z.fail
	z.f.mu.Unlock()
	if hold != nil {
		asking <- struct{}{}
		select {
		case <-hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return fail
}

func (z *deadZone) config() *Letters {
	l := &Letters{Groups: z.groups, List: z.list, Export: z.export, Why: z.why}
	if z.why == "" {
		l.Discard, l.Replay = z.discard, z.replay
	}
	return l
}

func (z *deadZone) groups(ctx context.Context) ([]replay.Group, error) {
	z.f.mu.Lock()
	z.calls++
	letters := slices.Clone(z.letters)
	z.f.mu.Unlock()
	if err := z.wait(ctx); err != nil {
		return nil, err
	}
	return groupLetters(letters), nil
}

func groupLetters(letters []lake.DeadLetter) []replay.Group {
	all := map[replay.Key]*replay.Group{}
	for i := range letters {
		d := letters[i]
		key := replay.Key{Source: d.Source, Kind: kindOf(&d)}
		g := all[key]
		if g == nil {
			g = &replay.Group{Kind: key.Kind, Source: key.Source, First: d.At}
			all[key] = g
		}
		g.Letters++
		d.Text = d.Text[:min(len(d.Text), 400)]
		g.Field, g.Reason, g.Newest, g.Example = d.Field, d.Reason, d.At, d
	}
	return slices.SortedFunc(func(yield func(replay.Group) bool) {
		for g := range maps.Values(all) {
			if !yield(*g) {
				return
			}
		}
	}, func(a, b replay.Group) int {
		if a.Letters != b.Letters {
			return int(b.Letters - a.Letters)
		}
		return strings.Compare(a.Source+a.Kind, b.Source+b.Kind)
	})
}

func (z *deadZone) list(ctx context.Context, pick replay.Pick, newest int) ([]lake.DeadLetter, error) {
	if err := z.wait(ctx); err != nil {
		return nil, err
	}
	z.f.mu.Lock()
	defer z.f.mu.Unlock()
	z.listed = append(z.listed, pick)
	var out []lake.DeadLetter
	for i := len(z.letters) - 1; i >= 0 && len(out) < newest; i-- {
		if picks(pick, &z.letters[i]) {
			out = append(out, z.letters[i])
		}
	}
	return out, nil
}

// remove takes letters out.
func (z *deadZone) remove(gone func(d *lake.DeadLetter) bool) (n int64) {
	z.f.mu.Lock()
	defer z.f.mu.Unlock()
	before := len(z.letters)
	z.letters = slices.DeleteFunc(z.letters, func(d lake.DeadLetter) bool { return gone(&d) })
	z.f.dead.Kept = int64(len(z.letters))
	return int64(before - len(z.letters))
}

func (z *deadZone) discard(ctx context.Context, pick replay.Pick) (int64, error) {
	if err := z.wait(ctx); err != nil {
		return 0, err
	}
	return z.remove(func(d *lake.DeadLetter) bool { return picks(pick, d) }), nil
}

func (z *deadZone) export(ctx context.Context, pick replay.Pick, path string) (int64, error) {
	if err := z.wait(ctx); err != nil {
		return 0, err
	}
	z.f.mu.Lock()
	defer z.f.mu.Unlock()
	if _, there := z.files[path]; there {
		return 0, fmt.Errorf("%s exists already: name another file", path)
	}
	var ids []int64
	for i := range z.letters {
		if picks(pick, &z.letters[i]) {
			ids = append(ids, z.letters[i].ID)
		}
	}
	z.files[path] = ids
	return int64(len(ids)), nil
}

func (z *deadZone) replay(ctx context.Context, p replay.Params, pr *lake.Progress) (*replay.Report, error) {
	z.f.mu.Lock()
	z.ran = append(z.ran, p)
	letters := slices.Clone(z.letters)
	z.f.mu.Unlock()
	if err := z.wait(ctx); err != nil {
		return nil, err
	}
	pr.Start("replay", int64(len(letters)))
	r := &replay.Report{DryRun: p.DryRun}
	accepted := map[int64]bool{}
	var refused []lake.DeadLetter
	for _, d := range letters {
		pr.Add(1)
		if !picks(p.Pick, &d) {
			continue
		}
		r.Picked++
		sample := replay.Sample{ID: d.ID, Before: string(d.Text)}
		line, err := mend(d.Text, p.Rules)
		var e lake.Event
		if err == nil {
			_, err = lake.Contract{}.Parse(line, lake.MicrosOf(fakeNow), &e)
		}
		if fe := (*lake.FieldError)(nil); errors.As(err, &fe) {
			d.Field, d.Reason = fe.Field, fe.Reason
			sample.Problem = fe.Error()
			refused = append(refused, d)
			r.Refused++
		} else {
			sample.After = string(line)
			accepted[d.ID] = true
			r.Accepted++
		}
		if len(r.Samples) < 5 {
			r.Samples = append(r.Samples, sample)
		}
	}
	r.Problems = groupLetters(refused)
	if !p.DryRun {
		z.remove(func(d *lake.DeadLetter) bool { return accepted[d.ID] })
	}
	return r, nil
}

// mend applies rules to an object, keys in their alphabet's order.
func mend(text []byte, rules replay.Rules) ([]byte, error) {
	var object map[string]any
	if err := json.Unmarshal(text, &object); err != nil {
		return nil, &lake.FieldError{Reason: "the event is no valid JSON"}
	}
	for _, rule := range rules.Rename {
		from, to, _ := strings.Cut(rule, "=")
		if v, ok := object[from]; ok {
			delete(object, from)
			object[to] = v
		}
	}
	for _, rule := range rules.Cast {
		key, to, _ := strings.Cut(rule, "=")
		value, isText := object[key].(string)
		switch n, err := strconv.ParseFloat(value, 64); {
		case !isText:
		case to == "time":
			t, err := time.Parse("02/Jan/2006 15:04:05", value)
			if err != nil {
				return nil, &lake.FieldError{Field: key, Reason: "cannot be cast to time, got " + value}
			}
			object[key] = t.Format(time.RFC3339)
		case err != nil:
			return nil, &lake.FieldError{Field: key, Reason: fmt.Sprintf("cannot be cast to %s, got %q", to, value)}
		default:
			object[key] = n
		}
	}
	for _, rule := range rules.Default {
		key, value, _ := strings.Cut(rule, "=")
		if _, ok := object[key]; !ok {
			object[key] = value
		}
	}
	line, err := json.Marshal(object)
	return bytes.TrimSpace(line), err
}
