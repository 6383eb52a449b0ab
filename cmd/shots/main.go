// Shots takes pictures of a terminal program for the documentation: it runs the program in a pseudo-terminal with a terminal emulator behind
// it, types a key script, and writes what stands on the screen as PNG or as text. docs/pictures/take.sh is the list of ours.
//
//	shots -run "bin/signallake-tui --data demo" -keys "wait:p95,3,text:select 1,f5" -o sql.png
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "shots:", err)
		os.Exit(1)
	}
}

// run takes one picture. When the script fails the screen is printed with the error, and no picture is written.
func run(args []string, stdout, stderr io.Writer) error {
	s, text, err := parseShot(args, stderr)
	if err != nil {
		return err
	}
	seen, err := s.take()
	if err != nil {
		return err
	}
	if text || s.out == "" {
		fmt.Fprint(stdout, seen.text())
	}
	if s.out == "" {
		return nil
	}
	p, err := newPainter(s.scale)
	if err != nil {
		return err
	}
	return p.write(s.out, seen)
}

// parseShot reads the command line; text tells whether the screen is to be printed.
func parseShot(args []string, stderr io.Writer) (s shot, text bool, err error) {
	flags := flag.NewFlagSet("shots", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&s.command, "run", "", "the `command` line to run, as for the shell")
	keys := flags.String("keys", "", "the key `script`: names (enter, esc, shift+tab, ctrl+p, alt+4, f5, comma), letters, pauses (500ms),\n"+
		"text:…, wait:…, gone:… and resize:WxH, with commas between; \\, is a comma in a text")
	flags.IntVar(&s.size.width, "w", 120, "width in `cells`")
	flags.IntVar(&s.size.height, "h", 36, "height in `cells`")
	flags.DurationVar(&s.wait, "wait", 1500*time.Millisecond, "how long to wait before the first key")
	flags.DurationVar(&s.quiet, "quiet", 700*time.Millisecond, "how long the screen must have stayed as it is before the picture is taken")
	flags.DurationVar(&s.limit, "limit", time.Minute, "how long to wait for a text of the script")
	light := flags.Bool("light", false, "a terminal with a light background")
	flags.Func("env", "a variable `K=V` of the program's environment; may be given more than once", func(v string) error { s.env = append(s.env, v); return nil })
	resize := flags.String("resize", "", "`WxH@after`: another size after that time, once the script is typed")
	flags.IntVar(&s.scale, "scale", 2, "pixels for each dot of a cell of 9 by 18")
	flags.StringVar(&s.out, "o", "", "the PNG `file` to write")
	flags.BoolVar(&text, "text", false, "print the screen as text (also where no file is named)")
	if err := flags.Parse(args); err != nil {
		return s, false, err
	}
	if s.palette = darkPalette; *light {
		s.palette = lightPalette
	}
	if s.command == "" || flags.NArg() > 0 || s.scale < 1 || s.scale > 8 {
		return s, false, errors.New("what to run? shots -run \"COMMAND\" [-keys SCRIPT] [-o FILE.png]; -help lists the rest")
	}
	if to, after, ok := strings.Cut(*resize, "@"); *resize != "" {
		if !ok {
			after = "0s"
		}
		*keys += "," + after + ",resize:" + to
	}
	s.steps, err = parseKeys(*keys)
	return s, text, err
}
