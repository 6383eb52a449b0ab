package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

// command is one sub-command. Its run parses its own flags.
type command struct {
	name    string // a word, or two
	args    string // the usage line behind the name
	summary string // "": help does not list it, other parts of the program run it
	run     func(ctx context.Context, w *world, args []string) error
}

// commands lists every sub-command in the order that help shows them. The first one is what runs when none is named.
func commands() []command {
	return []command{
		{"console", "[--addr HOST:PORT] [--token-file FILE] [--tls-cert FILE --tls-key FILE] [--plain]", "the console, with the ingest API in the background (the default)", runConsole},
		{"serve", "[--addr HOST:PORT] [--token-file FILE [--make-token]] [--tls-cert FILE --tls-key FILE] [--convert-bytes SIZE]", "the ingest API and the conversion alone, for a server", runServe},
		{"import", "FILE... | - [--follow] [--service S] [--map key=field] [--format json|access|logfmt|plain] [--again] [--json]", "read log files, or what is piped in, into the lake", runImport},
		{"generate", "[--count N] [--seed N] [--days N] [--services N] [--start TIME]", "write synthetic events into the lake", runGenerate},
		{"convert", "[--layout partitioned|unpartitioned|both] [--repair]", "turn raw JSONL into Parquet", runConvert},
		{"query", "NAME | --sql TEXT [--format table|json|csv]", "ask a named question or any SQL", runQuery},
		{"estimate", "--sql TEXT [--json]", "what a statement would read and cost, without running it", runEstimate},
		{"status", "[--json]", "what the lake holds", runStatus},
		{"dead", "[--list | --json | --export FILE | --discard] [--limit N] [--source TEXT] [--reason TEXT] [--kind KIND] [--id N]", "what was refused, and why", runDead},
		{"replay", "[--dry-run] [--rename from=to] [--cast key=type] [--default key=value] [--source TEXT] [--reason TEXT] [--kind KIND] [--id N] [--json]", "send refused events again, mended by rules, each exactly once", runReplay},
		{"verify", "[--json] [--quarantine]", "prove that nothing is lost, doubled or damaged", runVerify},
		{"health", "[--addr HOST:PORT|URL]", "ask a running server whether it takes events", runHealth},
		{"bench", "[--events N | --lake] [--runs N] [--cold=false] [--json] [--write FILE]", "measure pruning against one unpartitioned file, warm and cold", runBench},
		{"bench pipeline", "[--events N] [--rounds N] [--only NAMES] [--judge=false] [--json] [--write FILE]", "measure each stage beside a reference, and hold it to its goal", runBenchPipeline},
		{"bench layout", "[--events N] [--rounds N] [--cold=false] [--json] [--write FILE]", "write the same events in several ways, and ask all of them: folders, files, codecs, row groups, clients", runBenchLayout},
		{"bench stage", "NAME", "", runBenchStage},
		{"torture", "[--kills N] [--events N] [--seed N] [--clients N] [--batch N] [--stops N] [--fulls N] [--keep] [--json]", "kill a server of its own again and again, and prove that it lost nothing and took nothing twice", runTorture},
		{"soak", "[--for 10m] [--overload 1m] [--batch N] [--json]", "hold a server of its own under half its load, then four times as much, and watch it", runSoak},
		{"files", "[--from TIME] [--to TIME] [--service S]", "the live Parquet files, as a read_parquet([...]) for other tools", runFiles},
		{"version", "", "what this program was built from", runVersion},
	}
}

// find splits the command line into a command and its arguments. --data may stand before the command's name; without a name it is the console.
func find(args []string) (command, []string, error) {
	at := 0
	for at < len(args) && isDataFlag(args[at]) {
		at++
		if !strings.Contains(args[at-1], "=") {
			at++
		}
	}
	all := commands()
	if at >= len(args) {
		return all[0], args, nil
	}
	if slices.Contains([]string{"help", "--help", "-help", "-h"}, args[at]) {
		return command{run: runHelp}, args[at+1:], nil
	}
	if strings.HasPrefix(args[at], "-") {
		return all[0], args, nil
	}
	c, words := named(args[at:])
	if words == 0 {
		return command{}, nil, usagef("unknown command %q: `signallake-tui help` lists them", args[at])
	}
	return c, slices.Concat(args[:at], args[at+words:]), nil
}

// named is the command that the first words name, the one of two words before the one of one, and how many words those are; 0: none.
func named(args []string) (c command, words int) {
	for words := min(2, len(args)); words > 0; words-- {
		for _, c := range commands() {
			if c.name == strings.Join(args[:words], " ") {
				return c, words
			}
		}
	}
	return command{}, 0
}

func isDataFlag(arg string) bool {
	name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
	return strings.HasPrefix(arg, "-") && name == "data"
}

func runHelp(_ context.Context, w *world, args []string) error {
	if len(args) > 0 {
		c, words := named(args)
		if words < len(args) {
			return usagef("unknown command %q: `signallake-tui help` lists them", strings.Join(args, " "))
		}
		return c.run(context.Background(), &world{stdin: w.stdin, stdout: w.stdout, stderr: w.stdout, getenv: w.getenv, now: w.now}, []string{"--help"})
	}
	fmt.Fprint(w.stdout, "signallake-tui: a console over a local-first log lake\n\n")
	for _, c := range commands() {
		if c.summary != "" {
			fmt.Fprintf(w.stdout, "  %-14s %s\n", c.name, c.summary)
		}
	}
	fmt.Fprint(w.stdout, `
Every command takes --data DIR (or SIGNALLAKE_DATA_DIR; ./data otherwise). `+"`signallake-tui help COMMAND`"+` lists its flags.
Exit codes: 0 done, 1 failed, 2 wrong command line, 3 another process owns the lake, 4 verify or torture found damage, 130 stopped.
`)
	return nil
}

// stoppedError is a command that was stopped and has its own words for what that leaves.
type stoppedError struct {
	text  string
	cause error
}

func (e *stoppedError) Error() string { return e.text }
func (e *stoppedError) Unwrap() error { return e.cause }

// stoppedText says what a stopped command leaves behind.
func stoppedText(err error) string {
	var stopped *stoppedError
	if errors.As(err, &stopped) {
		return stopped.text
	}
	return "stopped; what was done stays, run it again to go on"
}

// newFlags makes a command's flag set with --data in it.
func newFlags(w *world, name string) (*flag.FlagSet, *string) {
	var usage string
	for _, c := range commands() {
		if c.name == name {
			usage = fmt.Sprintf("usage: signallake-tui %s %s\n%s\n", c.name, c.args, c.summary)
		}
	}
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {
		fmt.Fprint(w.stderr, usage)
		flags.SetOutput(w.stderr)
		flags.PrintDefaults()
		flags.SetOutput(io.Discard)
	}
	def := w.getenv("SIGNALLAKE_DATA_DIR")
	if def == "" {
		def = "data"
	}
	return flags, flags.String("data", def, "the lake's `folder`")
}

// parseFlags parses and returns what stands beside the flags, wherever it stands.
func parseFlags(flags *flag.FlagSet, args []string, maxArgs int) ([]string, error) {
	var rest []string
	for {
		if err := flags.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, usagef("%s: %v", flags.Name(), err)
		}
		if flags.NArg() == 0 {
			break
		}
		rest = append(rest, flags.Arg(0))
		args = flags.Args()[1:]
	}
	if len(rest) > maxArgs {
		return nil, usagef("%s: what is %q? `signallake-tui help %s` lists what it takes", flags.Name(), rest[maxArgs], flags.Name())
	}
	return rest, nil
}
