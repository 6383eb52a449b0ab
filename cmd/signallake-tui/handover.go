package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/signallake/signallake/ingest"
	"github.com/signallake/signallake/ingest/replay"
	"github.com/signallake/signallake/lake"
)

// operatorFlags say how a command makes itself known to the process that owns the lake.
type operatorFlags struct{ tokenFile, cert string }

func addOperatorFlags(flags *flag.FlagSet) *operatorFlags {
	o := &operatorFlags{}
	flags.StringVar(&o.tokenFile, "token-file", "", "the token `file` of the server that owns the lake, should it ask for one; or put a token into SIGNALLAKE_TOKEN")
	flags.StringVar(&o.cert, "tls-cert", "", "the certificate `file` (PEM) that the server must show; without it the certificate of a server on this machine is not checked")
	return o
}

// operator is the way to the dead letters of another process's lake. The error wraps lake.ErrOwned.
func (o *operatorFlags) operator(owner lake.Owner, getenv func(string) string) (*ingest.Operator, error) {
	owned := &lake.OwnedError{Owner: owner}
	if owner.Address == "" {
		return nil, owned
	}
	token := getenv("SIGNALLAKE_TOKEN")
	if o.tokenFile != "" {
		var err error
		if token, err = ingest.FirstToken(o.tokenFile); err != nil {
			return nil, err
		}
	}
	if owner.Token && token == "" {
		return nil, fmt.Errorf("%w; it takes this work with one of its tokens: give --token-file FILE or SIGNALLAKE_TOKEN", owned)
	}
	return &ingest.Operator{Addr: owner.Address, CertFile: o.cert, Token: token}, nil
}

// deadWorker discards and replays letters: itself, or through the process that owns the lake.
type deadWorker struct {
	lake     *lake.Lake // read-only in the second case
	desk     *replay.Desk
	operator *ingest.Operator // nil: we own the lake
	owner    lake.Owner
}

// openWorker owns the lake, or finds the way to who does.
func openWorker(ctx context.Context, w *world, dir, command string, flags *operatorFlags) (*deadWorker, error) {
	worker := &deadWorker{}
	var err error
	worker.lake, err = openLake(ctx, w, dir, command)
	var owned *lake.OwnedError
	if errors.As(err, &owned) {
		worker.owner = owned.Owner
		if worker.operator, err = flags.operator(owned.Owner, w.getenv); err != nil {
			return nil, err
		}
		worker.lake, err = lake.Open(ctx, lake.Config{Dir: dir, Now: w.now, ReadOnly: true})
	}
	if err != nil {
		return nil, err
	}
	worker.desk = newDesk(worker.lake, w.now)
	return worker, nil
}

func (d *deadWorker) discard(ctx context.Context, pick replay.Pick) (int64, error) {
	if d.operator != nil {
		return d.operator.Discard(ctx, pick)
	}
	return d.desk.Discard(ctx, pick)
}

// replay never bothers the owner with a dry run.
func (d *deadWorker) replay(ctx context.Context, p replay.Params, progress *lake.Progress) (*replay.Report, error) {
	if d.operator != nil && !p.DryRun {
		return d.operator.Replay(ctx, p, progress)
	}
	return d.desk.Run(ctx, p, progress)
}

// patientLake makes room where too much waits for its conversion.
type patientLake struct{ *lake.Lake }

func (l patientLake) Append(ctx context.Context, b lake.Batch) (lake.Receipt, error) {
	return appendPatiently(ctx, l.Lake, b)
}

// newDesk is the desk of a lake.
func newDesk(l *lake.Lake, now func() time.Time) *replay.Desk {
	return replay.NewDesk(replay.Config{Lake: patientLake{l}, Now: now, Guard: func() *lake.PartitionGuard { return partitionGuard(l) }})
}

// ownerName is who owns the lake, for people.
func ownerName(o lake.Owner) string { return fmt.Sprintf("%s (process %d)", o.Command, o.PID) }

// operatorOf is the way to the owner as it is now; it may have moved since this process was started.
func operatorOf(l *lake.Lake, flags *operatorFlags, getenv func(string) string) (*ingest.Operator, error) {
	owner, owned, err := l.CurrentOwner()
	switch {
	case err != nil:
		return nil, err
	case !owned:
		return nil, errors.New("nobody owns the lake any more: start this console anew")
	}
	return flags.operator(owner, getenv)
}
