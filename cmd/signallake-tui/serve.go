package main

import (
	"context"
	"errors"
	"fmt"
)

// runServe runs the ingest API and the automatic conversion without a face, until it is told to stop.
func runServe(ctx context.Context, w *world, args []string) error {
	flags, dir := newFlags(w, "serve")
	addr := flags.String("addr", defaultAddr, "the `address` to listen on; loopback only")
	if _, err := parseFlags(flags, args, 0); err != nil {
		return err
	}
	s, err := openStack(ctx, stackConfig{dir: *dir, now: w.now, addr: *addr, command: "serve", requestLog: w.stderr})
	if err != nil {
		return err
	}
	if s.apiErr != "" {
		return errors.Join(errors.New(s.apiErr), s.close())
	}
	fmt.Fprintf(w.stderr, "signallake-tui: listening on http://%s, lake %s\n", s.server.Addr(), *dir)
	<-ctx.Done()
	return s.close()
}
