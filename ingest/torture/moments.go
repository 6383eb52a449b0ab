package torture

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/signallake/signallake/lake"
)

// Kind is what is done to the server, and when.
type Kind int

// The kinds; those before killKinds are kills.
const (
	Random     Kind = iota // at any moment
	Convert                // while a conversion writes its files
	Commit                 // while a version is put in place
	Checkpoint             // while the catalog's checkpoint is written
	Seal                   // just after a new raw segment
	Recovery               // right after a start
	killKinds
	Stop // SIGSTOP and, later, SIGCONT
	Full // no room on the disk for a while
)

func (k Kind) String() string {
	return map[Kind]string{Random: "random", Convert: "convert", Commit: "commit", Checkpoint: "checkpoint", Seal: "seal", Recovery: "recovery", Stop: "stop", Full: "full"}[k]
}

// moment is the kind in a list of kills.
func (k Kind) moment() string {
	return map[Kind]string{Random: "at random moments", Convert: "in conversions", Commit: "in commits", Checkpoint: "in catalog checkpoints", Seal: "after seals",
		Recovery: "in recoveries"}[k]
}

const (
	// pollEvery is how often a condition is looked at; aimEvery how often one that passes within milliseconds.
	pollEvery = 5 * time.Millisecond
	aimEvery  = 500 * time.Microsecond
	// aimSpread: a kill comes up to so long after its moment was seen, so that many of them meet all of what happens then.
	aimSpread = 4 * time.Millisecond
	// shortestStart is what a start takes at least, before one has been measured.
	shortestStart = 200 * time.Millisecond
)

// trial is one thing done to the server.
type trial struct {
	kind   Kind
	events int64 // acknowledged before it is done; then its moment is waited for
}

// mixture is the kinds of kills in their shares: each ten have at least one of every kind, and the first five of a shorter run differ.
var mixture = [...]Kind{Random, Convert, Recovery, Commit, Seal, Random, Checkpoint, Random, Convert, Recovery}

// plan lists the trials in their order. One kill is left: the last.
func plan(cfg Config, random *rand.Rand) []trial {
	var trials []trial
	for i := range cfg.Kills - 1 {
		trials = append(trials, trial{kind: mixture[(i+1)%len(mixture)]})
	}
	for range cfg.Stops {
		trials = append(trials, trial{kind: Stop})
	}
	for range cfg.Fulls {
		trials = append(trials, trial{kind: Full})
	}
	random.Shuffle(len(trials), func(i, j int) { trials[i], trials[j] = trials[j], trials[i] })
	share := cfg.Events / int64(len(trials)+1)
	for i := range trials {
		if trials[i].kind != Recovery {
			trials[i].events = share/2 + random.Int64N(share+1)
		}
	}
	return trials
}

// trial does one.
func (r *run) trial(ctx context.Context, t trial) error {
	if t.kind == Recovery {
		return r.killStarting(ctx)
	}
	if err := r.revive(ctx); err != nil {
		return err
	}
	goal := r.books.acked() + t.events
	if err := r.await(ctx, func() bool { return r.books.acked() >= goal }); err != nil {
		return err
	}
	if err := r.exchange(&t); err != nil {
		return err
	}
	switch t.kind {
	case Stop:
		return r.stop(ctx)
	case Full:
		return r.full(ctx, t)
	case Random:
		if !pause(ctx, r.upTo(50*time.Millisecond)) {
			return ctx.Err()
		}
		return r.killed(ctx, Random)
	}
	return r.aim(ctx, t)
}

// exchange does the kill at a checkpoint when one is near: they are rare, one in so many commits. It is owed from where it stands in the plan until then, and
// another kind's kill takes that place.
func (r *run) exchange(t *trial) error {
	if t.kind >= killKinds || t.kind != Checkpoint && r.owed == 0 {
		return nil
	}
	commits, err := sinceCheckpoint(lake.Layout{Root: r.cfg.Dir}.Catalog())
	if err != nil {
		return err
	}
	switch near := commits >= checkpointEvery-nearCommits; {
	case t.kind == Checkpoint && !near:
		r.owed++
		t.kind = Random
	case t.kind != Checkpoint && near:
		r.owed--
		t.kind = Checkpoint
	}
	return nil
}

// aim kills when the moment of the trial's kind is seen.
func (r *run) aim(ctx context.Context, t trial) error {
	kind := t.kind
	seen, err := r.awaitSight(ctx, kind, t.events)
	if err != nil {
		return err
	}
	if !seen {
		r.report.count(func() { r.report.Missed++ })
		kind = Random
	}
	if !pause(ctx, r.upTo(aimSpread)) {
		return ctx.Err()
	}
	return r.killed(ctx, kind)
}

// awaitSight waits for a kind's moment; false: it did not come while so many events were acknowledged.
func (r *run) awaitSight(ctx context.Context, kind Kind, events int64) (seen bool, err error) {
	sight, err := r.sight(kind)
	if err != nil {
		return false, err
	}
	if kind == Checkpoint {
		events *= nearCommits
	}
	end := r.books.acked() + max(events, int64(r.cfg.Batch))
	var failed error
	err = r.awaitEvery(ctx, aimEvery, func() bool {
		seen, failed = sight()
		return seen || failed != nil || r.books.acked() > end
	})
	return seen, cmp.Or(err, failed)
}

// sight returns what tells that the kind's moment is now.
func (r *run) sight(kind Kind) (func() (bool, error), error) {
	layout := lake.Layout{Root: r.cfg.Dir}
	look := map[Kind]func() (string, error){
		Convert:    func() (string, error) { return newestOf(layout.Tmp(), "", "") }, // a folder a conversion
		Commit:     func() (string, error) { return newestOf(layout.Tmp(), "", ".commit") },
		Checkpoint: func() (string, error) { return dueCheckpoint(layout.Catalog()) },
		Seal:       func() (string, error) { return newestOf(layout.Raw(), "", ".jsonl") },
	}[kind]
	before, err := look()
	if err != nil {
		return nil, err
	}
	return func() (bool, error) {
		now, err := look()
		return now != before && now != "", err
	}, nil
}

// newestOf is the last name of a folder, in their order, that has these ends; without a suffix the last name of a folder in it. "": there is none.
func newestOf(folder, prefix, suffix string) (string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return "", err
	}
	newest := ""
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) && strings.HasSuffix(e.Name(), suffix) && (suffix != "" || e.IsDir()) {
			newest = max(newest, e.Name())
		}
	}
	return newest, nil
}

const (
	// checkpointEvery is how many versions come to a checkpoint of the catalog.
	checkpointEvery = 64
	// nearCommits is how many commits before one it is worth waiting for it.
	nearCommits = 8
)

// sinceCheckpoint is how many versions of the catalog came after its newest checkpoint.
func sinceCheckpoint(folder string) (int64, error) {
	version, err := newestOf(folder, "v", ".jsonl")
	if err != nil {
		return 0, err
	}
	checkpoint, err := newestOf(folder, "checkpoint-", ".jsonl")
	return numberIn(version) - numberIn(checkpoint), err
}

// dueCheckpoint changes when a checkpoint is about to be written, and when one has been.
func dueCheckpoint(folder string) (string, error) {
	checkpoint, err := newestOf(folder, "checkpoint-", ".jsonl")
	if err != nil {
		return "", err
	}
	if commits, err := sinceCheckpoint(folder); err != nil || commits < checkpointEvery {
		return checkpoint, err
	}
	return checkpoint + " due", nil
}

// numberIn is the number in the name of a catalog's object; 0: there is none.
func numberIn(name string) int64 {
	digits := strings.Trim(name, "abcdefghijklmnopqrstuvwxyz-.")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// upTo is a random duration below d.
func (r *run) upTo(d time.Duration) time.Duration { return time.Duration(r.random.Int64N(int64(d))) }

// killStarting starts the server and kills it within the time that its start takes. One that runs is told to end before: that must work, too.
func (r *run) killStarting(ctx context.Context) error {
	if r.child != nil {
		if err := r.child.terminate(ctx); err != nil {
			return err
		}
		r.report.sending += time.Since(r.child.started)
		r.child = nil
	}
	if err := r.launch(); err != nil {
		return err
	}
	usual := slices.Max(append(slices.Clone(r.report.recover), shortestStart))
	if !pause(ctx, r.upTo(usual)) {
		return ctx.Err()
	}
	return r.killed(ctx, Recovery)
}

// killed kills the running server, and looks at the lake now and then.
func (r *run) killed(ctx context.Context, kind Kind) error {
	if err := r.kill(kind); err != nil {
		return err
	}
	if total := r.killCount(); total%checkEvery == 0 {
		return r.check(ctx)
	}
	return nil
}

func (r *run) killCount() (total int) {
	r.report.count(func() {
		for _, n := range r.report.Kills {
			total += n
		}
	})
	return total
}

// kill kills the running server.
func (r *run) kill(kind Kind) error {
	if isClosed(r.child.gone) {
		return fmt.Errorf("the server ended by itself: %s", r.child.lastWords())
	}
	if err := r.child.kill(); err != nil {
		return err
	}
	lived := time.Since(r.child.started)
	r.report.sending += lived
	r.child = nil
	r.report.count(func() { r.report.Kills[kind.String()]++ })
	r.cfg.Say(fmt.Sprintf("kill %d of %d (%s) after %.1f s, %d events acknowledged", r.killCount(), r.cfg.Kills, kind, lived.Seconds(), r.books.acked()))
	return nil
}

// launch starts a server and does not wait for it.
func (r *run) launch() (err error) {
	r.child, err = startChild(&r.cfg, r.addr, r.lives)
	r.lives++
	return err
}

// start starts a server and waits until it listens.
func (r *run) start(ctx context.Context) error {
	if err := r.launch(); err != nil {
		return err
	}
	return r.child.waitReady(ctx)
}

// revive starts a server where none runs, and waits for its first acknowledgement.
func (r *run) revive(ctx context.Context) error {
	if r.child != nil {
		return nil
	}
	before := r.books.acked()
	if err := r.start(ctx); err != nil {
		return err
	}
	if err := r.await(ctx, func() bool { return r.books.acked() > before }); err != nil {
		return err
	}
	took := time.Since(r.child.started)
	r.report.count(func() {
		r.report.Restarts++
		r.report.recover = append(r.report.recover, took)
	})
	return nil
}

// stop stops the server for a while: clients run into their timeouts and send again what it has received and not read.
func (r *run) stop(ctx context.Context) error {
	if err := r.child.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	slept := pause(ctx, r.cfg.StopFor)
	if err := r.child.signal(syscall.SIGCONT); err != nil || !slept {
		return cmp.Or(err, ctx.Err())
	}
	r.report.count(func() { r.report.Stops++ })
	return r.resumed(ctx, "stopped for "+r.cfg.StopFor.String())
}

// resumed waits until every client has had an acknowledgement again, also those that were told to come again later. One that has none in the time in which
// all of them together would be stuck is a finding. The others hold meanwhile: the run is to end with the number of events that was asked for.
func (r *run) resumed(ctx context.Context, after string) error {
	began, before := time.Now(), r.books.stands()
	r.hold.Store(&before)
	defer r.hold.Store(nil)
	waiting := len(before)
	err := r.await(ctx, func() bool {
		waiting = 0
		for i, acked := range r.books.stands() {
			if acked == before[i] {
				waiting++
			}
		}
		return waiting == 0 || time.Since(began) > stuckAfter
	})
	if err != nil {
		return err
	}
	took := time.Since(began)
	if waiting > 0 {
		for i, acked := range r.books.stands() {
			if acked == before[i] {
				r.report.problem("%s: %s got no acknowledgement in %v; its newest answer: %s", after, r.books.of[i].name, stuckAfter, r.books.of[i].answer())
			}
		}
		return nil
	}
	r.report.count(func() { r.report.resume = append(r.report.resume, took) })
	r.cfg.Say(fmt.Sprintf("%s: every client is acknowledged again after %d ms, %d events acknowledged", after, took.Milliseconds(), r.books.acked()))
	return nil
}
