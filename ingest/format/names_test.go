package format

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the table of names in docs/IMPORT.md")

// namesTable is the table of docs/IMPORT.md.
func namesTable() string {
	var b strings.Builder
	b.WriteString("| field | keys, best first |\n|---|---|\n")
	for f := fieldEventID; f < fieldCount; f++ {
		var rows []string
		for _, row := range names {
			if row.field != f {
				continue
			}
			var keys []string
			for name := range strings.FieldsSeq(row.names) {
				key := "`" + name + "`"
				if row.guess {
					key = "*" + key + "*"
				}
				keys = append(keys, key)
			}
			text := strings.Join(keys, " ")
			if f == fieldLatency {
				how := row.unit.String()
				if row.unit == unitOpen {
					how = "by the writer, else ms"
				}
				text += " (" + how + ")"
			}
			rows = append(rows, text)
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", contractKeys[f], strings.Join(rows, "<br>"))
	}
	return b.String()
}

func TestDocumentedNames(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "IMPORT.md")
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const open, end = "see TestDocumentedNames -->\n", "<!-- /names -->"
	before, rest, ok1 := strings.Cut(string(doc), open)
	old, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s has lost the marks around its table of names", path)
	}
	if old == namesTable() {
		return
	}
	if !*update {
		t.Fatalf("%s differs from the code: go test ./ingest/format -run TestDocumentedNames -update", path)
	}
	if err := os.WriteFile(path, []byte(before+open+namesTable()+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestNamesAreOneFieldEach: a name that stands twice in the table would be read by its first row only.
func TestNamesAreOneFieldEach(t *testing.T) {
	seen := map[string]string{}
	for _, row := range names {
		for name := range strings.FieldsSeq(row.names) {
			folded := string(fold(nil, []byte(name)))
			if other, twice := seen[folded]; twice {
				t.Errorf("%s and %s are the same name", other, name)
			}
			seen[folded] = name
		}
	}
}

func TestNamesWithoutCaseAndDashes(t *testing.T) {
	b := newKeyBook(nil, JSON, writer{})
	check := func(key string, want field) {
		t.Helper()
		if got := b.find([]byte(key)); got.field != want {
			t.Errorf("%s: %q, want %q", key, contractKeys[got.field], contractKeys[want])
		}
	}
	check("status_code", fieldStatus)
	check("StatusCode", fieldStatus)
	check("STATUS-CODE", fieldStatus)
	check("X-Request-Id", fieldRequestID)
	check("http.response.statusCode", fieldStatus)
	check("logger", noField)
	check("name", noField)
	check("id", noField)
	check("zone", noField)
	check("__", noField)
	tail := newKeyBook(nil, Access, writer{})
	if tail.find([]byte("status")).field != noField || tail.find([]byte("rt")).field != fieldLatency {
		t.Error("the tail of an access line must not give the status, but the latency")
	}
}

func TestKeysThatAreMadeUpAreForgotten(t *testing.T) {
	p := parser(t, Config{Kind: Logfmt, Service: "svc"})
	for i := range 3 * maxKnownKeys {
		if err := p.logfmt([]byte(fmt.Sprintf("k%d=1", i))); err != nil {
			t.Fatal(err)
		}
		p.forget()
	}
	if len(p.keys.known) > maxKnownKeys {
		t.Errorf("%d keys are remembered", len(p.keys.known))
	}
}
