package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/signallake/signallake/ingest"
	"github.com/signallake/signallake/lake"
)

// runHealth asks a running server for its health: one line, and exit code 0 or 1. Without an address it asks the process that owns the lake,
// however that one was started; so a container's health check needs no arguments.
func runHealth(ctx context.Context, w *world, args []string) error {
	flags, dir := newFlags(w, "health")
	addr := flags.String("addr", "", "the server's `address`, host:port or a URL; empty: of the process that owns the lake")
	cert := flags.String("tls-cert", "", "the certificate `file` (PEM) that the server must show; without it the certificate of a server on this machine is not checked")
	timeout := flags.Duration("timeout", 5*time.Second, "how long to wait")
	if _, err := parseFlags(flags, args, 0); err != nil {
		return err
	}
	if *addr == "" {
		var err error
		if *addr, err = ownerAddress(*dir); err != nil {
			return err
		}
	}
	report, err := ingest.Checkup{Addr: *addr, CertFile: *cert, Timeout: *timeout}.Ask(ctx)
	if err != nil {
		return err
	}
	if report.Status != "ok" {
		return fmt.Errorf("%s is %s: %s", report.URL, lake.SafeText(report.Status, 40), lake.SafeText(cmp.Or(report.Why, "its log and its console say why"), 400))
	}
	fmt.Fprintf(w.stdout, "ok: %s takes events\n", report.URL)
	return nil
}

// ownerAddress is where the API of the lake's owner listens.
func ownerAddress(dir string) (string, error) {
	owner, owned, err := lake.OwnerOf(lake.Layout{Root: dir})
	switch {
	case err != nil:
		return "", err
	case !owned:
		return "", fmt.Errorf("nobody serves the lake in %s: start `signallake-tui serve --data %s`, or name a server by --addr", dir, dir)
	case owner.Address == "":
		return "", fmt.Errorf("the lake in %s belongs to %s (pid %d), which takes no events: name a server by --addr", dir, owner.Command, owner.PID)
	}
	return owner.Address, nil
}
