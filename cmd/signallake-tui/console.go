package main

import (
	"context"
	"errors"
	"os"

	"github.com/charmbracelet/x/term"

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
	out, isFile := w.stdout.(*os.File)
	interactive := !*plain && isFile && term.IsTerminal(out.Fd()) && w.getenv("TERM") != "dumb"
	if in, ok := w.stdin.(*os.File); !ok || !term.IsTerminal(in.Fd()) {
		interactive = false
	}
	if !interactive {
		return printPanels(ctx, w, *dir)
	}
	s, err := openStack(ctx, stackConfig{dir: *dir, now: w.now, api: api, command: "console", follow: true})
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
