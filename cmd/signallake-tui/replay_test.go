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

	"github.com/signallake/signallake/ingest/replay"
	"github.com/signallake/signallake/lake"
)

// A sender that writes its latency as text is refused; the letters are looked at, tried and replayed with a cast, through the server that owns the
// lake and without one, across a kill, and each event is there once.
func TestReplay(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, dir, "")
	var lines []string
	for i := range 50 {
		lines = append(lines, fmt.Sprintf(`{"timestamp":"2026-01-05T07:59:59Z","service_name":"checkout","message":"m%d","latency_ms":"%dms"}`, i, 100+i))
	}
	s.post(t, strings.Join(lines, "\n")+"\n"+strings.Replace(lines[0], "100ms", "fast", 1), 422)
	count := func() string {
		t.Helper()
		return fmt.Sprint(ask(t, dir, "select count(*), count(distinct message), coalesce(sum(latency_ms), 0) from events"))
	}
	try := func(code int, wantOut, wantWords string, args ...string) {
		t.Helper()
		out, words, got := says(t, append([]string{args[0], "--data", dir}, args[1:]...)...)
		if got != code || !strings.Contains(out, wantOut) || !strings.Contains(words, wantWords) {
			t.Errorf("%v: exit code %d\n%s%s\nwant %d, %q, %q", args, got, out, words, code, wantOut, wantWords)
		}
	}
	kind := "latency_ms: must be a number without quotes"
	try(exitOK, "     51  api 127.0.0.1  "+kind+"  20", "51 dead letters, ", "dead")
	mend := []string{"--kind", kind, "--cast", "latency_ms=number"}
	try(exitOK, `"latency_ms":100`, "dry run: of 51 dead letters 50 events would be accepted, 1 letters would stay; nothing was changed", append([]string{"replay", "--dry-run"}, mend...)...)
	try(exitOK, "", "no letter has the key latency, which --cast names; they have latency_ms, message, service_name, timestamp", "replay", "--dry-run", "--cast", "latency=number")
	if got := count(); got != "[[0 0 0]]" {
		t.Errorf("after the dry run: %s", got)
	}
	try(exitOK, "", "1 dead letters: 1 events accepted, 0 were in the lake already, 0 letters stay", "replay", "--id", "1", "--cast", "latency_ms=number")
	try(exitOK, "latency_ms: cannot be cast to number", ", through serve (process ", append([]string{"replay", "--source", "API", "--id", "51,2"}, mend...)...)
	s.kill()
	try(exitOK, "", "49 dead letters: 48 events accepted, 0 were in the lake already, 1 letters stay", append([]string{"replay"}, mend...)...)
	want := fmt.Sprintf("[[50 50 %d]]", 50*100+49*50/2)
	if got := count(); got != want {
		t.Errorf("after the replay: %s, want %s", got, want)
	}
	s = startServer(t, dir, s.addr)
	try(exitOK, "", "1 dead letters: 0 events accepted, 0 were in the lake already, 1 letters stay", append([]string{"replay"}, mend...)...)
	out, _, _ := says(t, "replay", "--json", "--data", dir)
	var r replay.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil || r.Picked != 1 || r.Refused != 1 || len(r.Problems) != 1 {
		t.Errorf("%v: %s", err, out)
	}
	if got := count(); got != want {
		t.Errorf("at the end: %s, want %s", got, want)
	}
	file := filepath.Join(t.TempDir(), "letters.jsonl")
	try(exitOK, "", "1 dead letters written to "+file, "dead", "--export", file)
	try(exitFailed, "", "exists already", "dead", "--export", file)
	if text, err := os.ReadFile(file); err != nil || strings.Count(string(text), "\n") != 1 {
		t.Errorf("%s, %v", text, err)
	}
	try(exitOK, "", "1 dead letters discarded; 0 dead letters", "dead", "--discard", "--id", "51")
	try(exitUsage, "", "want number, integer, string or time", "replay", "--cast", "a=float")
	s.kill()
	try(exitOK, "50 events, each visible exactly once", "", "verify")
}

// The owner asks for a token: the command needs it, by file or by the environment.
func TestReplayWithToken(t *testing.T) {
	dir, tokens := t.TempDir(), filepath.Join(t.TempDir(), "tokens")
	const token = "a-token-of-the-operator"
	if err := os.WriteFile(tokens, []byte("# mine\nshipper "+token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	startAccessServer(t, dir, "--token-file", tokens)
	if _, words, code := says(t, "dead", "--discard", "--data", dir); code != exitOwned || !strings.Contains(words, "SIGNALLAKE_TOKEN") {
		t.Errorf("without a token: exit code %d, %s", code, words)
	}
	if _, words, code := says(t, "dead", "--discard", "--data", dir, "--token-file", tokens); code != exitOK {
		t.Errorf("with the file: exit code %d, %s", code, words)
	}
	t.Setenv("SIGNALLAKE_TOKEN", "wrong-and-wrong-and-wrong")
	if _, words, code := says(t, "replay", "--data", dir); code != exitFailed || !strings.Contains(words, "is not known here") {
		t.Errorf("with a wrong one: exit code %d, %s", code, words)
	}
	t.Setenv("SIGNALLAKE_TOKEN", token)
	if _, words, code := says(t, "replay", "--data", dir); code != exitOK {
		t.Errorf("with the variable: exit code %d, %s", code, words)
	}
}

// A console that follows looks at the letters itself, and has the owner discard and replay them.
func TestFollowersLetters(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, dir, "")
	bad := `{"timestamp":"2026-01-05T07:59:59Z","service_name":"a","latency_ms":"1s"}`
	s.post(t, bad+"\n"+bad+"\nnonsense\n", 422)
	stack, err := openStack(t.Context(), stackConfig{dir: dir, now: time.Now, follow: true, command: "console", getenv: os.Getenv})
	if err != nil {
		t.Fatal(err)
	}
	defer stack.close()
	letters := stack.letters()
	groups, err := letters.Groups(t.Context())
	if err != nil || len(groups) != 2 || groups[0].Letters != 2 || letters.Why != "" {
		t.Fatalf("%+v, %v, %q", groups, err, letters.Why)
	}
	p := replay.Params{Pick: replay.Pick{Groups: []replay.Key{groups[0].Key()}, Upto: 1}, Rules: replay.Rules{Cast: []string{"latency_ms=number"}}, DryRun: true}
	if r, err := letters.Replay(t.Context(), p, nil); err != nil || r.Accepted != 1 || !r.DryRun {
		t.Fatalf("dry run: %+v, %v", r, err)
	}
	p.DryRun = false
	if r, err := letters.Replay(t.Context(), p, &lake.Progress{}); err != nil || r.Accepted != 1 || r.Picked != 1 {
		t.Fatalf("replay: %+v, %v", r, err)
	}
	if n, err := letters.Discard(t.Context(), p.Pick); err != nil || n != 0 {
		t.Fatalf("discard: %d, %v", n, err)
	}
	p.Pick.Upto = 0
	if n, err := letters.Discard(t.Context(), p.Pick); err != nil || n != 1 {
		t.Fatalf("discard: %d, %v", n, err)
	}
	if list, err := letters.List(t.Context(), replay.Pick{}, 10); err != nil || len(list) != 1 || string(list[0].Text) != "nonsense" {
		t.Fatalf("%+v, %v", list, err)
	}
	s.kill()
	if _, err := letters.Discard(t.Context(), replay.Pick{}); err == nil || !strings.Contains(err.Error(), "nobody owns the lake") {
		t.Errorf("without an owner: %v", err)
	}
	if got := stack.letters().Why; !strings.Contains(got, "owns this lake") {
		t.Errorf("why: %q", got)
	}
}

// The server is killed in the middle of a replay, several times. In the end each letter's event is there once.
func TestReplayKilled(t *testing.T) {
	const n, kills = 20_000, 3
	dir := t.TempDir()
	s := startServer(t, dir, "")
	var body strings.Builder
	for i := range n {
		fmt.Fprintf(&body, `{"timestamp":"2026-01-05T07:59:59Z","service_name":"a","message":"m%d","latency_ms":"1ms"}`+"\n", i)
	}
	s.post(t, body.String(), 422)
	left := func() (letters int) {
		resp, err := http.Get("http://" + s.addr + "/dead?id=1")
		if err != nil {
			return n
		}
		defer resp.Body.Close()
		var answer struct{ Letters int }
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
			return n
		}
		return answer.Letters
	}
	args := []string{"replay", "--cast", "latency_ms=number", "--data", dir}
	killed := 0
	for range kills {
		before := left()
		if before == 0 {
			break // it was quicker than the kills
		}
		done := make(chan struct{})
		go func() { defer close(done); exec.Command(program(t), args...).Run() }() // how it ends is left open: the server goes
		if !poll(waitLimit, func() bool { return left() < before }) {
			t.Fatal("the replay does not begin")
		}
		if left() > 0 {
			killed++
		}
		s.kill()
		<-done
		s = startServer(t, dir, s.addr)
	}
	if killed == 0 {
		t.Error("the replay was never killed in its middle")
	}
	if _, words, code := says(t, args...); code != exitOK {
		t.Fatalf("exit code %d: %s", code, words)
	}
	if rest := left(); rest != 0 {
		t.Errorf("%d letters are left", rest)
	}
	if got := fmt.Sprint(ask(t, dir, "select count(*), count(distinct message) from events")); got != fmt.Sprintf("[[%d %d]]", n, n) {
		t.Errorf("events: %s, want %d", got, n)
	}
	t.Logf("killed %d times in the middle", killed)
}
