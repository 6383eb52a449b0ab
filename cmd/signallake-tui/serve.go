package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/signallake/signallake/ingest"
)

// tryAPI makes sure that the API can start before a lake is made for it: a start that is refused for its address leaves nothing behind. In a lake that is
// there already the owner comes first: whose address it is then tells nothing new.
func tryAPI(api *apiFlags, dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var config ingest.Config
	api.apply(&config)
	return ingest.Try(config)
}

// runServe runs the ingest API and the automatic conversion without a face, until it is told to stop.
func runServe(ctx context.Context, w *world, args []string) error {
	flags, dir := newFlags(w, "serve")
	api, lakeFlags := addAPIFlags(flags), addLakeFlags(flags)
	makeToken := flags.Bool("make-token", false, "make the token file with one random token if it does not exist, and show the token once")
	if _, err := parseFlags(flags, args, 0); err != nil {
		return err
	}
	if err := cmp.Or(api.validate(), lakeFlags.validate()); err != nil {
		return err
	}
	spareProcessors(w.getenv)
	token := ""
	if *makeToken {
		var err error
		if token, err = api.makeToken(w.stderr); err != nil {
			return err
		}
	}
	if err := tryAPI(api, *dir); err != nil {
		return err
	}
	s, err := openStack(ctx, stackConfig{dir: *dir, now: w.now, api: api, lakeFlags: lakeFlags, command: "serve", requestLog: w.stderr})
	if err != nil {
		return err
	}
	if s.apiErr != "" {
		return errors.Join(errors.New(s.apiErr), s.close())
	}
	for _, warning := range s.server.Warnings() {
		fmt.Fprintf(w.stderr, "signallake-tui: warning: %s\n", warning)
	}
	for _, damage := range s.lake.Damage() {
		fmt.Fprintf(w.stderr, "signallake-tui: damage: %s\n", damage)
	}
	fmt.Fprintf(w.stderr, "signallake-tui: listening on %s, lake %s\n", s.listeningOn(), *dir)
	if token != "" {
		showCurl(w.stderr, s.snapshot(), token)
	}
	s.tellLoading(ctx, w.stderr)
	<-ctx.Done()
	return s.close()
}
