// Package importer reads logs from files and pipes into the lake: each line becomes an event or a dead letter, each exactly once, whatever
// stops it on the way. It finds out how an input is packed and where an earlier import ended, follows files through their rotation, and
// needs the same memory for any size. What a line means is package format's business, and when to convert is the sink's.
package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/signallake/signallake/ingest/format"
	"github.com/signallake/signallake/lake"
)

// Sink is what an import needs of a lake. Append and Bury return once all is durable.
type Sink interface {
	Append(ctx context.Context, b lake.Batch) error
	Bury(ctx context.Context, letters []lake.DeadLetter) error
	Notes(since lake.Micros, fn func(first lake.Seq, n int, at lake.Micros, note []byte) error) error
	DeadLetters(since int64, fn func(*lake.DeadLetter) error) error
}

// Config says what an import does. Only Sink is required.
type Config struct {
	Sink     Sink
	Guard    *lake.PartitionGuard // nil: every partition is welcome
	Claims   *Claims              // shared by imports that run at the same time; nil: this is the only one
	Now      func() time.Time     // nil: time.Now
	Stdin    *Stdin               // what the path "-" reads; nil: it is refused
	Service  string               // for lines that name none; "": made from the file's name
	Kind     format.Kind          // "": found
	Map      map[string]string    // sender's key -> the contract's
	Contract lake.Contract
	Location *time.Location    // for times without zone; nil: UTC
	Follow   bool              // go on with what is written later, until the context ends
	Again    bool              // also what was imported before
	Parsers  int               // goroutines of one input; 0: lake.Processors
	Poll     time.Duration     // how often a followed file is looked at, and how long lines of a pipe wait for more; 0: 100 ms
	Progress *lake.Progress    // nil: nobody looks
	Tell     func(text string) // what the user should know while it runs; nil: nobody listens. Called from any goroutine
}

// defaultPoll is short beside the half second in which a screen moves, and long beside the microseconds that a look takes.
const defaultPoll = 100 * time.Millisecond

func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Parsers <= 0 {
		c.Parsers = lake.Processors()
	}
	if c.Poll <= 0 {
		c.Poll = defaultPoll
	}
	if c.Tell == nil {
		c.Tell = func(string) {}
	}
	if c.Claims == nil {
		c.Claims = &Claims{}
	}
	return c
}

// Stdin is the standard input. It can be read once: what one import took from it is not there for the next.
type Stdin struct {
	Reader io.Reader

	mu   sync.Mutex
	used bool
}

func (s *Stdin) take() error {
	if s == nil {
		return errors.New("nothing is piped in here; name a file, or pipe into `signallake-tui import -`")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used {
		return errors.New("what was piped in has been read; pipe it in again to a new start of signallake-tui")
	}
	s.used = true
	return nil
}

// Claims are the files that imports of this process are at, so that two do not import the same one at once.
type Claims struct {
	mu    sync.Mutex
	files []os.FileInfo
}

var errClaimed = errors.New("another import is reading it right now; wait for that one to end, or stop it")

func (c *Claims) claim(f *os.File) (release func(), err error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, other := range c.files {
		if os.SameFile(other, info) {
			return nil, errClaimed
		}
	}
	c.files = append(c.files, info)
	return func() { c.release(info) }, nil
}

func (c *Claims) release(info os.FileInfo) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.files {
		if c.files[i] == info {
			c.files = append(c.files[:i], c.files[i+1:]...)
			return
		}
	}
}

// job is one run of an import over its inputs.
type job struct {
	Config
	memory *memory
	chunk  int // bytes that a parser gets at once
}

// Run imports the paths; "-" is Config.Stdin. There is a result for each that was begun, in their order. The error is a failure of the lake,
// after which nothing more is tried; what failed for a single path, and the end of ctx, stand in the results.
func Run(ctx context.Context, c Config, paths []string) ([]*Result, error) {
	return (&job{Config: c.withDefaults(), chunk: chunkBytes}).run(ctx, paths)
}

func (j *job) run(ctx context.Context, paths []string) ([]*Result, error) {
	var err error
	if j.memory, err = recall(j.Sink); err != nil {
		return nil, err
	}
	results := make([]*Result, len(paths))
	for i, path := range paths {
		results[i] = newResult(path, j.Now())
	}
	if j.Follow {
		j.followAll(ctx, results)
	} else {
		for i, r := range results {
			r.started = j.Now()
			err := j.one(ctx, r, stage(r.Name, i, len(results)))
			r.end(ctx, err, j.Now())
			if r.State == Failed && isBroken(err) {
				return results[:i+1], err
			}
		}
	}
	for _, r := range results {
		if r.State == Failed && isBroken(r.Err) {
			return results, r.Err
		}
	}
	return results, nil
}

// stage names the input at hand for Progress.
func stage(name string, i, n int) string {
	if n == 1 {
		return fmt.Sprintf("import %s, bytes", name)
	}
	return fmt.Sprintf("import %s (%d of %d), bytes", name, i+1, n)
}

// one imports one path to its end.
func (j *job) one(ctx context.Context, r *Result, stage string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if r.Path == "-" {
		if err := j.Stdin.take(); err != nil {
			return err
		}
		return j.pipe(ctx, r, j.Stdin.Reader, stage)
	}
	f, err := openFile(r.Path)
	switch {
	case errors.Is(err, errNotRegular):
		device, err := openDevice(ctx, r.Path)
		if err != nil {
			return err
		}
		defer device.Close()
		return j.pipe(ctx, r, device, stage)
	case err != nil:
		return err
	}
	defer f.close()
	if err := j.file(ctx, r, f, stage, j.Again); err != nil {
		return err
	}
	return f.whole()
}

// pipe imports what cannot be read again: it has no identity and is not remembered. Without a stage, progress goes on in the one at hand.
func (j *job) pipe(ctx context.Context, r *Result, from io.Reader, stage string) error {
	if stage != "" {
		j.Progress.Start(fmt.Sprintf("import %s, lines", r.Name), 0)
	}
	in := &input{result: r, src: newPipe(from, 2*j.Poll), pipe: true, origin: fmt.Sprintf("pipe-%d", j.Now().UnixMicro()), lines: true}
	err := j.stream(ctx, context.WithoutCancel(ctx), in)
	if err == nil {
		err = ctx.Err()
	}
	return err
}

// file imports a regular file from where the lake has it, to its end. Without a stage, progress counts its lines in the stage at hand.
func (j *job) file(ctx context.Context, r *Result, f *file, stage string, again bool) error {
	release, err := j.Claims.claim(f.f)
	if err != nil {
		return err
	}
	defer release()
	in, err := j.locate(r, f, again)
	if err != nil {
		return err
	}
	defer in.end()
	if in.lines = stage == ""; !in.lines {
		j.Progress.Start(stage, f.size)
		j.Progress.Add(in.raw())
	}
	if in.mark.Offset > 0 && in.raw() < f.size {
		j.Tell(fmt.Sprintf("%s: goes on at line %s (%d %%)", r.Name, lake.Thousands(in.mark.line()+1), 100*in.raw()/f.size))
	}
	r.known(&in.mark)
	return j.stream(ctx, ctx, in)
}

// locate finds out which input a file is and how far the lake has it. again takes it from its start in any case.
func (j *job) locate(r *Result, f *file, again bool) (*input, error) {
	sample, err := f.peek(sampleBytes)
	if err != nil {
		return nil, err
	}
	if len(sample) == 0 {
		return nil, errEmpty
	}
	if err := checkText(sample, r.Path); err != nil {
		return nil, err
	}
	path, err := pathSum(r.Path)
	if err != nil {
		return nil, err
	}
	in := &input{result: r, sample: sample, whole: len(sample) < sampleBytes}
	head := sample[:min(len(sample), headBytes)]
	if !again {
		for _, known := range j.memory.candidates(head, path) {
			s, err := f.resume(&known)
			if err != nil {
				return nil, err
			}
			if s != nil {
				known.Path = path
				in.from(s, known)
				return in, nil
			}
		}
	}
	s, err := f.stream()
	if err != nil {
		return nil, err
	}
	in.from(s, j.memory.fresh(head, path, filepath.Base(r.Path)))
	return in, nil
}

// Usable says why a path cannot be imported, as far as that shows without reading it.
func Usable(path string) error {
	if path == "-" {
		return nil
	}
	f, err := openFile(path)
	if errors.Is(err, errNotRegular) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.close()
}

// errEmpty is an input without a byte.
var errEmpty = errors.New("it is empty")
