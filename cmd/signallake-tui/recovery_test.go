package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/ingest"
	"github.com/signallake/signallake/lake"
)

// killedLake kills `generate` in the middle of its work, so that raw/ holds more than bytes, unconverted, and its last segment is torn.
func killedLake(t *testing.T, bytes int64) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command(program(t), "generate", "--data", dir, "--count", "50000000", "--days", "1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	grown := poll(waitLimit, func() bool {
		raw, _ := filepath.Glob(filepath.Join(dir, "raw", "*.jsonl"))
		var size int64
		for _, path := range raw {
			if info, err := os.Stat(path); err == nil {
				size += info.Size()
			}
		}
		return size > bytes
	})
	cmd.Process.Kill()
	cmd.Wait()
	if !grown {
		t.Fatal("generate writes nothing")
	}
	return dir
}

// statusOfLake is `status --json` as another process tells it.
func statusOfLake(t *testing.T, dir string) statusJSON {
	t.Helper()
	out, err := exec.Command(program(t), "status", "--data", dir, "--json").Output()
	var s statusJSON
	if err == nil {
		err = json.Unmarshal(out, &s)
	}
	if err != nil {
		t.Fatalf("status: %v: %s", err, out)
	}
	return s
}

// healthPage is what the tests read of GET /health.
type healthPage struct {
	Backlog []ingest.StageReport
	Loading *ingest.LoadingReport
}

func healthOf(t *testing.T, client *http.Client, url string) healthPage {
	t.Helper()
	status, text := request(t, client, "GET", url+"/health", "", "")
	var page healthPage
	if err := json.Unmarshal([]byte(text), &page); status != http.StatusOK || err != nil {
		t.Fatalf("health: %d %s: %v", status, text, err)
	}
	return page
}

func stageOf(t *testing.T, stages []ingest.StageReport, name string) ingest.StageReport {
	t.Helper()
	for _, s := range stages {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no stage %s in %+v", name, stages)
	return ingest.StageReport{}
}

// TestRecovery starts on what a killed process left: events are taken at once, progress is told, an answer counts everything, and the chain runs empty.
func TestRecovery(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIP in -short: a backlog that is worth its name takes its time under the race detector")
	}
	dir := killedLake(t, 80<<20)
	found := statusOfLake(t, dir)
	left := stageOf(t, found.Backlog.Stages, lake.StageUnconverted)
	if left.Events != found.Events.Hot || left.Events < tellLoadedFrom || left.Bytes == 0 || left.WaitS <= 0 || found.Backlog.From != "files" || len(found.Backlog.LeftOut) != 4 {
		t.Fatalf("%+v", found.Backlog)
	}
	s := startAccessServer(t, dir)
	client := &http.Client{Timeout: waitLimit}
	now := time.Now().UTC().Format(time.RFC3339)
	if status, text := request(t, client, "POST", s.url+"/ingest", fmt.Sprintf(`{"timestamp":%q,"service_name":"probe"}`, now), ""); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	done := int64(0)
	for page := healthOf(t, client, s.url); page.Loading != nil; page = healthOf(t, client, s.url) {
		if l := page.Loading; l.Total != left.Events || l.Done < done || l.Done > l.Total {
			t.Fatalf("after %d of %d: %+v", done, left.Events, l)
		} else {
			done = l.Done
		}
	}
	status, text := request(t, client, "GET", s.url+"/query/hourly-volume", "", "")
	var answer struct {
		Rows    [][]any
		Missing int64 `json:"missing_events"`
	}
	if err := json.Unmarshal([]byte(text), &answer); status != http.StatusOK || err != nil {
		t.Fatalf("%d %s: %v", status, text, err)
	}
	counted := int64(0)
	for _, row := range answer.Rows {
		counted += int64(row[1].(float64))
	}
	if counted != left.Events+1 || answer.Missing != 0 {
		t.Errorf("%d events are counted and %d told as missing, want %d", counted, answer.Missing, left.Events+1)
	}
	if want := fmt.Sprintf("%d events from before the start are visible after ", left.Events); !poll(waitLimit, func() bool { return strings.Contains(s.said(t), want) }) {
		t.Errorf("serve does not say %q: %s", want, s.said(t))
	}
	emptied := poll(waitLimit, func() bool {
		stages := healthOf(t, client, s.url).Backlog
		return stageOf(t, stages, lake.StageUnread).Events == 0 && stageOf(t, stages, lake.StageUnsummarised).Events <= 1 && stageOf(t, stages, lake.StageUnconverted).Events <= 1
	})
	if stages := healthOf(t, client, s.url).Backlog; !emptied || stageOf(t, stages, lake.StageAccepted).Events != 1 || stageOf(t, stages, lake.StageRaw).Events != left.Events+1 {
		t.Errorf("%+v", stages)
	}
	if asked := statusOfLake(t, dir).Backlog; asked.From != s.url || len(asked.Stages) != 6 || len(asked.LeftOut) != 0 {
		t.Errorf("status while it is served: %+v", asked)
	}
}

// TestBacklogWords holds the text of `status` for people.
func TestBacklogWords(t *testing.T) {
	drain := 12.5
	var out strings.Builder
	b := backlogJSON{From: "http://127.0.0.1:1", Loading: &ingest.LoadingReport{Done: 2_100_000, Total: 5_100_000, LeftS: 3.2}, Stages: []ingest.StageReport{
		{Name: lake.StageAccepted, Events: 1000, InPerSec: 10, PerSec: 10},
		{Name: lake.StageUnread, Events: 50, WaitS: 0.25, InPerSec: 10, PerSec: 14, DrainS: &drain},
		{Name: lake.StageUnsummarised, Events: 60, WaitS: 125, InPerSec: 1210, PerSec: 10, Grows: true},
		{Name: lake.StageUnconverted, Events: 70, Bytes: 3 << 20},
		{Name: lake.StageUnconverted, Events: 80, InPerSec: 2},
	}}
	if err := b.write(&out); err != nil {
		t.Fatal(err)
	}
	want := `backlog   as http://127.0.0.1:1 measures it
          it is loading: 41 %, 2,100,000 of 5,100,000 events, 4 s left
                events   MB  oldest    in/s  out/s  empty in
      accepted   1,000    -       -    10.0   10.0         -
        unread      50    -   300ms    10.0   14.0   loading
  unsummarised      60    -    2m5s  1210.0   10.0   loading
   unconverted      70  3.0       -     0.0    0.0     waits
   unconverted      80    -       -     2.0    0.0   gathers
`
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	out.Reset()
	b.Loading = nil
	if err := b.write(&out); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"14.0               13s\n", "10.0  growing +1,200/s\n", "0.0      stands still\n"} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("once it has loaded:\n%s\nwant %q", out.String(), line)
		}
	}
}
