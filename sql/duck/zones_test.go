package duck

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

const zoneEnv = "SIGNALLAKE_TEST_ZONE_DIR"

// TestTimeZonesAgree asks the same lake in child processes that live in three time zones.
func TestTimeZonesAgree(t *testing.T) {
	dir := t.TempDir()
	if l, e := openBoth(t, dir); true {
		generateInto(t, l, 2000, 1)
		if _, err := l.Convert(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		generateInto(t, l, 500, 2)
		ask(t, e, "select 1")
	}
	var first string
	for _, zone := range []string{"UTC", "America/Los_Angeles", "Asia/Kathmandu"} {
		child := exec.Command(os.Args[0], "-test.run=^TestTimeZoneChild$", "-test.v")
		child.Env = append(os.Environ(), "TZ="+zone, zoneEnv+"="+dir)
		output, err := child.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", zone, err, output)
		}
		_, answer, found := strings.Cut(string(output), "ANSWERS\n")
		answer, _, _ = strings.Cut(answer, "END\n")
		if !found || !strings.Contains(answer, "2026-11-1") {
			t.Fatalf("%s: no answers\n%s", zone, output)
		}
		if first == "" {
			first = answer
		}
		if answer != first {
			t.Errorf("%s answers\n%s\nUTC answers\n%s", zone, answer, first)
		}
	}
}

func TestTimeZoneChild(t *testing.T) {
	dir := os.Getenv(zoneEnv)
	if dir == "" {
		return // only TestTimeZonesAgree starts it
	}
	l, err := lake.Open(t.Context(), lake.Config{Dir: dir, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	e, err := Open(t.Context(), Config{Lake: l})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if err := e.WaitLoaded(t.Context()); err != nil {
		t.Fatal(err)
	}
	fmt.Println("ANSWERS")
	texts := []string{"select min(timestamp), max(timestamp), min(event_date), max(received_at) from events", "select timestamp::varchar, timestamp::date, hour(timestamp) from events order by seq limit 3",
		"select count(*) from events where timestamp > TIMESTAMPTZ '2026-11-15 00:00:00+00'", "select count(*) from events where event_date = date '2026-11-15' and timestamp < '2026-11-15 12:00:00'",
		"select count(*) from events where timestamp::timestamptz > now() - interval 100 year", "select minute, count from minutes order by all limit 3", "select date_trunc('hour', '2026-11-15 23:30:00-05'::timestamptz)"}
	for _, q := range sql.Questions() {
		text, err := q.Statement(sql.Params{From: lake.MicrosOf(time.Date(2026, 11, 14, 22, 0, 0, 0, time.UTC)), To: lake.MicrosOf(time.Date(2026, 11, 16, 3, 0, 0, 0, time.UTC))})
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
	}
	for _, text := range texts {
		for _, row := range ask(t, e, "%s", text) {
			fmt.Println(row...)
		}
	}
	fmt.Println("END")
}
