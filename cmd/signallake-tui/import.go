package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/x/term"

	"github.com/signallake/signallake/ingest/format"
	"github.com/signallake/signallake/ingest/importer"
	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/tui"
)

// runImport reads log files, or what is piped in, into the lake.
func runImport(ctx context.Context, w *world, args []string) error {
	flags, dir := newFlags(w, "import")
	p := tui.ImportParams{}
	flags.StringVar(&p.Service, "service", "", "`service` of lines that name none; without it the file's name")
	flags.StringVar(&p.Format, "format", "", "json, access, logfmt or plain (text behind a time); without it it is found")
	flags.BoolVar(&p.Follow, "follow", false, "go on with what is written to the files, through their rotation, until Ctrl+C")
	flags.BoolVar(&p.Again, "again", false, "import also what was imported before")
	flags.Func("map", "`key=field`: the lines' name of one of our fields, such as took=latency_ms; several with commas or one by one", func(s string) error {
		p.Map = strings.TrimPrefix(p.Map+","+s, ",")
		return nil
	})
	asJSON := flags.Bool("json", false, "print the result as JSON")
	paths, err := parseFlags(flags, args, maxImportPaths)
	if err != nil {
		return err
	}
	if p.Paths = paths; len(paths) == 0 {
		return usagef("import: name the files, or - for what is piped in: `signallake-tui import access.log`")
	}
	if _, err := importConfig(p); err != nil {
		return usagef("import: %v", err)
	}
	if err := someUsable(p); err != nil {
		return err
	}
	results, hot, err := importHere(ctx, w, *dir, p)
	if results == nil {
		return err
	}
	err = importOutcome(ctx, results, p, err)
	if *asJSON {
		return errors.Join(err, writeJSON(w.stdout, importReport(results)))
	}
	words := importWords(results, p)
	for _, r := range results {
		if r.Accepted > 0 {
			words = append(words, nextWords(hot, dataFlag(flags.Lookup("data").DefValue, *dir)))
			break
		}
	}
	for _, line := range words {
		fmt.Fprintln(w.stderr, line)
	}
	return err
}

// maxImportPaths is more than a shell passes on.
const maxImportPaths = 1 << 20

// dataFlag is what other commands need to find the same lake.
func dataFlag(def, dir string) string {
	if dir == def {
		return ""
	}
	return " --data " + dir
}

// someUsable keeps a mistyped path from making a lake: when there is nothing to import, the reason is told before one is opened.
func someUsable(p tui.ImportParams) error {
	if p.Follow {
		return nil
	}
	var errs []error
	for _, path := range p.Paths {
		err := importer.Usable(path)
		if err == nil {
			return nil
		}
		errs = append(errs, fmt.Errorf("import %s: %w", path, err))
	}
	return errors.Join(errs...)
}

// importHere owns the lake for the time of an import, and answers also how many bytes wait for their conversion. An import that follows keeps
// the lake for long, so that the lake converts by itself.
func importHere(ctx context.Context, w *world, dir string, p tui.ImportParams) (results []*importer.Result, hot int64, err error) {
	config := lake.Config{Dir: dir, Now: w.now, ConvertAge: -1, Owner: lake.Owner{PID: os.Getpid(), Command: "import", Since: w.now()}}
	if p.Follow {
		config.ConvertAge, config.Owner.Command = 0, "import --follow"
	}
	l, err := lake.Open(ctx, config)
	var owned *lake.OwnedError
	if errors.As(err, &owned) {
		return nil, 0, fmt.Errorf("%w; %s", err, wayIn(owned.Owner))
	}
	if err != nil {
		return nil, 0, err
	}
	progress := &lake.Progress{}
	stop := showProgress(w.stderr, progress)
	from := importWorld{stdin: &importer.Stdin{Reader: w.stdin}, now: w.now, tell: tellOn(w.stderr)}
	results, err = importPaths(ctx, l, p, from, progress)
	stop()
	hot = l.Status().HotBytes
	return results, hot, errors.Join(err, l.Close())
}

// wayIn says how lines come into a lake that another process owns.
func wayIn(o lake.Owner) string {
	text := "press i in it if it is a console"
	if o.Address != "" {
		text += fmt.Sprintf(", or send it JSON lines: `curl --data-binary @FILE %s/ingest/batch`", o.Address)
	}
	return text
}

// tellOn writes lines beside the progress that a terminal shows.
func tellOn(w io.Writer) func(string) {
	start := ""
	if f, ok := w.(*os.File); ok && term.IsTerminal(f.Fd()) {
		start = "\r\x1b[K"
	}
	return func(text string) { fmt.Fprintf(w, "%s%s\n", start, text) }
}

// importWorld is what an import has of the outside.
type importWorld struct {
	stdin  *importer.Stdin // nil: nothing is piped in
	claims *importer.Claims
	now    func() time.Time
	tell   func(string) // what is to be known before the end
}

// importSink is the lake as an import needs it.
type importSink struct{ *lake.Lake }

// Append converts where too much waits for it.
func (s importSink) Append(ctx context.Context, b lake.Batch) error {
	_, err := appendPatiently(ctx, s.Lake, b)
	return err
}

// importFiles imports and says what it did: the console's task. What w.tell would have said while it ran stands at the end of that.
func importFiles(ctx context.Context, l *lake.Lake, p tui.ImportParams, w importWorld, progress *lake.Progress) (string, error) {
	var mu sync.Mutex
	var told []string
	w.tell = func(text string) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, text)
	}
	results, err := importPaths(ctx, l, p, w, progress)
	if results == nil {
		return "", err
	}
	tellSpan(results, p.Covers)
	words := strings.Join(append(importWords(results, p), told...), "\n")
	if err = importOutcome(ctx, results, p, err); err == nil {
		err = ctx.Err() // of a follower: its task was cancelled nevertheless
	}
	if err != nil {
		return "", outcomeError{words, err}
	}
	return words, nil
}

// tellSpan tells the time that the imported events span, when somebody asks and there are any.
func tellSpan(results []*importer.Result, covers func(first, last lake.Micros)) {
	var first, last lake.Micros
	for _, r := range results {
		if r.Accepted > 0 && (first == 0 || r.First < first) {
			first = r.First
		}
		if r.Accepted > 0 {
			last = max(last, r.Last)
		}
	}
	if covers != nil && first != 0 {
		covers(first, last)
	}
}

// outcomeError is an import that did not do all; its words say what it did.
type outcomeError struct {
	words string
	err   error
}

func (e outcomeError) Error() string {
	if errors.Is(e.err, context.Canceled) {
		return e.words + ": " + context.Canceled.Error() // as the console's tasks want it
	}
	return strings.TrimSuffix(e.err.Error()+"\n"+e.words, "\n")
}

func (e outcomeError) Unwrap() error { return e.err }

// importPaths runs the import.
func importPaths(ctx context.Context, l *lake.Lake, p tui.ImportParams, w importWorld, progress *lake.Progress) ([]*importer.Result, error) {
	config, err := importConfig(p)
	if err != nil {
		return nil, err
	}
	config.Sink, config.Guard, config.Claims = importSink{l}, partitionGuard(l), w.claims
	config.Now, config.Stdin, config.Progress, config.Tell = w.now, w.stdin, progress, w.tell
	return importer.Run(ctx, config, p.Paths)
}

// importConfig reads the parameters.
func importConfig(p tui.ImportParams) (importer.Config, error) {
	c := importer.Config{Service: p.Service, Kind: format.Kind(p.Format), Follow: p.Follow, Again: p.Again}
	switch c.Kind {
	case "", format.JSON, format.Access, format.Logfmt, format.Plain:
	default:
		return c, fmt.Errorf("format %q: want json, access, logfmt or plain; without one it is found", p.Format)
	}
	if p.Service != "" {
		if c.Service = format.ServiceName(p.Service); c.Service == "" {
			return c, fmt.Errorf("service %q: want a name with a letter or digit", p.Service)
		}
	}
	for pair := range strings.SplitSeq(p.Map, ",") {
		if pair = strings.TrimSpace(pair); pair == "" {
			continue
		}
		from, to, ok := strings.Cut(pair, "=")
		if from, to = strings.TrimSpace(from), strings.TrimSpace(to); !ok || from == "" || to == "" {
			return c, fmt.Errorf("map %q: want key=field, such as took=latency_ms", pair)
		}
		if c.Map == nil {
			c.Map = map[string]string{}
		}
		c.Map[from] = to
	}
	return c, format.CheckMap(c.Map)
}

// importOutcome is the error of an import that did not do all that it was asked for, nil when it did. failure is the lake's. A follower that
// was stopped has done all.
func importOutcome(ctx context.Context, results []*importer.Result, p tui.ImportParams, failure error) error {
	bad, empty := 0, 0
	for _, r := range results {
		switch r.State {
		case importer.Failed:
			bad++
		case importer.Empty:
			empty++
		}
	}
	switch n := len(p.Paths); {
	case failure != nil:
		return fmt.Errorf("import: %w; what was imported stays, and importing again goes on behind it", failure)
	case bad > 0 && n > 1:
		return fmt.Errorf("%d of %d inputs could not be imported to their end", bad, n)
	case bad > 0:
		return fmt.Errorf("import %s: %w", results[0].Name, results[0].Err)
	case ctx.Err() != nil && !p.Follow:
		return ctx.Err()
	case empty > 0 && empty == n:
		return errors.New("there was nothing to import")
	}
	return nil
}
