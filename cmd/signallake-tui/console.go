package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/charmbracelet/x/term"

	"github.com/signallake/signallake/ingest/importer"
	"github.com/signallake/signallake/tui"
)

// runConsole opens the console; with no terminal it prints the panels once.
func runConsole(ctx context.Context, w *world, args []string) error {
	flags, dir := newFlags(w, "console")
	api := addAPIFlags(flags)
	plain := flags.Bool("plain", false, "print the panels once as plain text")
	fresh := flags.Bool("fresh", false, "do not restore the last session")
	ascii := flags.Bool("ascii", !utf8Locale(w.getenv), "draw with ASCII alone")
	noMouse := flags.Bool("no-mouse", false, "leave the mouse to the terminal")
	if _, err := parseFlags(flags, args, 0); err != nil {
		return err
	}
	if err := api.validate(); err != nil {
		return err
	}
	out, isFile := w.stdout.(*os.File)
	interactive := !*plain && isFile && term.IsTerminal(out.Fd()) && w.getenv("TERM") != "dumb"
	piped, keys := standardInput(w.stdin)
	if !interactive || !keys {
		return printPanels(ctx, w, *dir)
	}
	spareProcessors(w.getenv)
	s, err := openStack(ctx, stackConfig{dir: *dir, now: w.now, api: api, command: "console", panels: true, follow: true, piped: piped, getenv: w.getenv})
	if err != nil {
		return err
	}
	config := s.console(*dir)
	config.ASCII, config.Mouse = *ascii, !*noMouse
	config.PanicKey = w.getenv("SIGNALLAKE_TEST_PANIC_KEY") != ""
	if *fresh {
		config.Store = freshStore{config.Store}
	}
	return errors.Join(tui.Run(ctx, config), s.close())
}

// standardInput finds what is piped in, if anything is, and whether there is a terminal to take keys from: standard input itself, or with a
// pipe there the one that the process belongs to.
func standardInput(stdin io.Reader) (piped *importer.Stdin, keys bool) {
	in, ok := stdin.(*os.File)
	if !ok {
		return nil, false
	}
	if term.IsTerminal(in.Fd()) {
		return nil, true
	}
	if info, err := in.Stat(); err == nil && info.Mode()&os.ModeCharDevice == 0 { // /dev/null is a device
		piped = &importer.Stdin{Reader: in}
	}
	tty, err := os.Open("/dev/tty")
	if err != nil {
		return piped, false
	}
	tty.Close() // it was opened only to see that it can be
	return piped, true
}

// printPanels is the console where there is no terminal: the panels once, as text. It follows the lake and changes nothing.
func printPanels(ctx context.Context, w *world, dir string) error {
	s, err := openReader(ctx, w, dir)
	if err != nil {
		return err
	}
	const width = 100
	return errors.Join(tui.Plain(ctx, s.console(dir), w.stdout, width), s.close())
}

// utf8Locale tells whether the terminal's locale says UTF-8, in the order in which the C library asks.
func utf8Locale(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := getenv(name); value != "" {
			return isUTF8(value)
		}
	}
	return false
}
