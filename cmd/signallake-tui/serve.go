package main

import (
	"context"
	"errors"
	"fmt"
)

// runServe runs the ingest API and the automatic conversion without a face, until it is told to stop.
func runServe(ctx context.Context, w *world, args []string) error {
	flags, dir := newFlags(w, "serve")
	api := addAPIFlags(flags)
	makeToken := flags.Bool("make-token", false, "make the token file with one random token if it does not exist, and show the token once")
	if _, err := parseFlags(flags, args, 0); err != nil {
		return err
	}
	if err := api.validate(); err != nil {
		return err
	}
	token := ""
	if *makeToken {
		var err error
		if token, err = api.makeToken(w.stderr); err != nil {
			return err
		}
	}
	s, err := openStack(ctx, stackConfig{dir: *dir, now: w.now, api: api, command: "serve", requestLog: w.stderr})
	if err != nil {
		return err
	}
	if s.apiErr != "" {
		return errors.Join(errors.New(s.apiErr), s.close())
	}
	for _, warning := range s.server.Warnings() {
		fmt.Fprintf(w.stderr, "signallake-tui: warning: %s\n", warning)
	}
	fmt.Fprintf(w.stderr, "signallake-tui: listening on %s, lake %s\n", s.listeningOn(), *dir)
	if token != "" {
		showCurl(w.stderr, s.snapshot(), token)
	}
	<-ctx.Done()
	return s.close()
}
