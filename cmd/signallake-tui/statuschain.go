package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/signallake/signallake/ingest"
	"github.com/signallake/signallake/lake"
)

// ownerPatience is how long `status` waits for the owner's API: it is on this machine, and the files tell the rest.
const ownerPatience = 2 * time.Second

// backlogJSON is the backlog as `status` tells it: as the owner measures it, else what the files say.
type backlogJSON struct {
	Stages  []ingest.StageReport  `json:"stages"`
	Loading *ingest.LoadingReport `json:"loading,omitempty"`
	From    string                `json:"from"`               // the owner's URL, or "files"
	LeftOut []string              `json:"left_out,omitempty"` // stages that only a running process knows
	Why     string                `json:"why,omitempty"`      // it could not be asked
}

// backlogOf asks the owner, where it has an API, and else looks at the files.
func backlogOf(ctx context.Context, owner *lake.Owner, status lake.Status, now time.Time) backlogJSON {
	why := "nobody serves this lake"
	if owner != nil {
		why = owner.Command + " has no API to ask"
	}
	if owner != nil && owner.Address != "" {
		report, err := ingest.Checkup{Addr: owner.Address, Timeout: ownerPatience}.Ask(ctx)
		switch {
		case err != nil:
			why = err.Error()
		case report.Backlog == nil:
			why = report.URL + " tells it only to those who show a token"
		default:
			return backlogJSON{Stages: report.Backlog, Loading: report.Loading, From: report.URL}
		}
	}
	b := backlogJSON{From: "files", Why: why}
	for _, s := range lake.NewChain().Look(lake.ChainLook{At: time.Now(), API: true, Engine: true, Status: status, HotAge: hotAge(status, now)}) {
		if s.Name == lake.StageRaw || s.Name == lake.StageUnconverted {
			b.Stages = append(b.Stages, ingest.ReportStage(s))
		} else {
			b.LeftOut = append(b.LeftOut, s.Name)
		}
	}
	return b
}

// write is the backlog for people, a stage a line.
func (b *backlogJSON) write(w io.Writer) error {
	measured := b.From != "files"
	if measured {
		fmt.Fprintf(w, "backlog   as %s measures it\n", b.From)
	} else {
		fmt.Fprintf(w, "backlog   as the files tell: %s, so the other stages and all rates are left out\n", b.Why)
	}
	if l := b.Loading; l != nil {
		fmt.Fprintf(w, "          it is loading: %s\n", loadWords(l.Done, l.Total, l.LeftS))
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "         \tevents\tMB\toldest")
	if measured {
		fmt.Fprint(table, "\tin/s\tout/s\tempty in")
	}
	fmt.Fprintln(table, "\t")
	for _, s := range b.Stages {
		bytes, oldest := "-", "-"
		if s.Bytes > 0 {
			bytes = fmt.Sprintf("%.1f", float64(s.Bytes)/(1<<20))
		}
		if s.WaitS > 0 {
			oldest = secondsText(s.WaitS)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s", s.Name, lake.Thousands(s.Events), bytes, oldest)
		if measured {
			fmt.Fprintf(table, "\t%.1f\t%.1f\t%s", s.InPerSec, s.PerSec, drainText(s, b.Loading != nil))
		}
		fmt.Fprintln(table, "\t")
	}
	return table.Flush()
}

// drainText is when a stage will be empty, or how fast it grows. What a start loads is told by its progress.
func drainText(s ingest.StageReport, loading bool) string {
	switch {
	case s.Events == 0 || s.Name == lake.StageAccepted || s.Name == lake.StageRaw:
		return "-"
	case loading && (s.Name == lake.StageUnread || s.Name == lake.StageUnsummarised):
		return "loading"
	case s.DrainS != nil:
		return secondsText(*s.DrainS)
	case s.Grows:
		return fmt.Sprintf("growing +%s/s", lake.Thousands(int64(s.InPerSec-s.PerSec)))
	}
	if s.InPerSec > 0 {
		return "gathers"
	}
	if loading {
		return "waits"
	}
	return "stands still"
}

// secondsText writes seconds for people: 0.3s, 41s, 2m5s.
func secondsText(s float64) string {
	d := time.Duration(s * float64(time.Second))
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
