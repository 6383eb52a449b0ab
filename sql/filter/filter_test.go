package filter

import (
	"errors"
	"strings"
	"testing"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

func says(word string) string {
	return "(contains(lower(message), '" + word + "') OR (message IS NULL AND contains(lower(endpoint), '" + word + "')))"
}

func TestSQL(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"", ""},
		{"  ", ""},
		{"Timeout", says("timeout")},
		{`"Card declined"`, says("card declined")},
		{`"a \"b\" \\ c"`, says(`a "b" \ c`)},
		{"it's", says("it''s")},
		{"12:30", says("12:30")},
		{"or and not", says("or") + " AND " + says("and") + " AND " + says("not")},
		{"ÄRGER", "(contains(lower(message), lower('ÄRGER')) OR (message IS NULL AND contains(lower(endpoint), lower('ÄRGER'))))"},
		{"service:Checkout", "service_name = 'checkout'"},
		{"service_name=checkout", "service_name = 'checkout'"},
		{"status:500,503", "status_code IN (500, 503)"},
		{"status:5xx", "status_code BETWEEN 500 AND 599"},
		{"status:4xx,500", "status_code BETWEEN 400 AND 499 OR status_code = 500"},
		{"status:500..503", "status_code BETWEEN 500 AND 503"},
		{"status >= 500", "status_code >= 500"},
		{"status:none", "NOT (status_code <> 0)"},
		{"latency>250ms", "latency_ms > 250"},
		{"latency<=1.5s", "latency_ms <= 1500"},
		{"latency:100ms..1s", "latency_ms BETWEEN 100 AND 1000"},
		{"latency:none", "NOT (latency_ms IS NOT NULL)"},
		{"path:/api/*", "starts_with(endpoint, '/api/')"},
		{"path:*/pay_*x", `endpoint LIKE '%/pay\_%x' ESCAPE '\'`},
		{"path:*", "endpoint IS NOT NULL"},
		{`path:"/a b",/c`, "endpoint IN ('/a b', '/c')"},
		{"msg:Refused", "contains(lower(message), 'refused')"},
		{`msg="Refused"`, "message = 'Refused'"},
		{"level:ERROR", "lower(level) = 'error'"},
		{"region:none", "NOT (region <> 'unknown')"},
		{`host:"none"`, "host = 'none'"},
		{"!path:/health", "NOT coalesce(endpoint = '/health', false)"},
		{"path!=/health", "NOT coalesce(endpoint = '/health', false)"},
		{"!service:auth,search", "NOT (service_name IN ('auth', 'search'))"},
		{"NOT status>=500", "NOT (status_code >= 500)"},
		{"!!status>=500", "status_code >= 500"},
		{"!latency>250", "NOT coalesce(latency_ms > 250, false)"},
		{"status:500 | status:503 level:warn", "status_code = 500 OR (status_code = 503 AND lower(level) = 'warn')"},
		{"(status:500 OR latency>1s) service:auth", "(status_code = 500 OR latency_ms > 1000) AND service_name = 'auth'"},
		{"!(status:500 latency>1s)", "NOT coalesce(status_code = 500 AND latency_ms > 1000, false)"},
		{"!(status:500 | seq:7)", "NOT (status_code = 500 OR seq = 7)"},
		{"status:500 AND service:auth", "status_code = 500 AND service_name = 'auth'"},
		{"has:trace", "trace_id IS NOT NULL"},
		{"!has:latency", "NOT (latency_ms IS NOT NULL)"},
		{"is:error", sql.IsError},
		{"is:http,error", "status_code >= 100 OR " + sql.IsError},
		{"@tier:gold", "json_extract_string(attributes, '/tier') = 'gold'"},
		{"attributes.tier:gold", "json_extract_string(attributes, '/tier') = 'gold'"},
		{"@client.os:ios", "coalesce(json_extract_string(attributes, '/client.os'), json_extract_string(attributes, '/client/os')) = 'ios'"},
		{`@"a b/c":1`, "json_extract_string(attributes, '/a b~1c') = '1'"},
		{"@bytes>1000", "TRY_CAST(json_extract_string(attributes, '/bytes') AS DOUBLE) > 1000"},
		{"has:@tier", "json_extract_string(attributes, '/tier') IS NOT NULL"},
	} {
		q, err := Parse(row.text)
		if err != nil {
			t.Errorf("%q: %v", row.text, err)
			continue
		}
		if got := q.SQL(); got != row.want {
			t.Errorf("%q\n got %s\nwant %s", row.text, got, row.want)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, row := range []struct {
		text   string
		offset int
		says   string
	}{
		{"stauts:500", 0, "is it status?"},
		{"a servic:x", 2, "is it service?"},
		{"zzz:1", 0, "there are service, status, path"},
		{"http://x", 0, "in quotes"},
		{"-status:500", 0, "!status:500"},
		{"time:12", 0, "time range"},
		{"status:fast", 7, "500, 5xx, 500..503"},
		{"latency>soon", 8, "250ms"},
		{"latency>NaN", 8, "250ms"},
		{"path>5", 5, "path is a text"},
		{"status:", 7, "a value is missing"},
		{"status:500,", 11, "a value is missing"},
		{"status>1,2", 8, "one value"},
		{`a "b`, 2, "not closed"},
		{`path:"b`, 5, "not closed"},
		{`""`, 0, "nothing to look for"},
		{"(a", 0, "not closed"},
		{"a)", 1, "closes nothing"},
		{"a |", 3, "missing here"},
		{"| a", 0, "missing before"},
		{"()", 1, "missing before"},
		{"!", 1, "missing here"},
		{"a AND", 5, "missing here"},
		{"is:slow", 3, "error, warn or http"},
		{"has:", 4, "takes a field"},
		{"has:zzz", 4, "no field"},
		{"has:path=1", 8, "a field alone"},
		{"@tier", 0, "needs a value"},
		{"@tier>gold", 6, "as numbers"},
		{"a \x00", 2, "no text"},
		{"a \xff", 2, "no text"},
		{strings.Repeat("(", 50) + "a", maxDepth, "nest"},
		{strings.Repeat("a", maxText+1), maxText, "at most"},
	} {
		_, err := Parse(row.text)
		var wrong *Error
		if !errors.As(err, &wrong) {
			t.Errorf("%q: %v, want an error", row.text, err)
			continue
		}
		if wrong.Offset != row.offset || !strings.Contains(wrong.Message, row.says) {
			t.Errorf("%q: at %d: %s; want at %d: %s", row.text, wrong.Offset, wrong.Message, row.offset, row.says)
		}
	}
}

func mustParse(t *testing.T, text string) *Query {
	t.Helper()
	q, err := Parse(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return q
}

func TestEdits(t *testing.T) {
	toggle := func(text, column, value, want string) {
		t.Helper()
		if got := mustParse(t, text).Toggle(column, value); got != want {
			t.Errorf("%q with %s %s toggled is %q, want %q", text, column, value, got, want)
		}
		mustParse(t, want)
	}
	exclude := func(text, column, value, want string) {
		t.Helper()
		if got := mustParse(t, text).Exclude(column, value); got != want {
			t.Errorf("%q without %s %s is %q, want %q", text, column, value, got, want)
		}
		mustParse(t, want)
	}
	toggle("", "status_code", "500", "status:500")
	toggle("pay", "status_code", "500", "pay status:500")
	toggle("status:500 pay", "status_code", "503", "status:500,503 pay")
	toggle("status:500,503 pay", "status_code", "500", "status:503 pay")
	toggle("a status:503 pay", "status_code", "503", "a pay")
	toggle("a AND status:503", "status_code", "503", "a")
	toggle("status:503 AND a", "status_code", "503", "a")
	toggle("a AND status:503 AND b", "status_code", "503", "a AND b")
	toggle("a | b", "status_code", "503", "(a | b) status:503")
	toggle("status>=500", "status_code", "503", "status>=500 status:503")
	toggle("level:ERROR", "level", "error", "")
	toggle("", "endpoint", "/a b", `path:"/a b"`)
	toggle("", "endpoint", "", "path:none")
	toggle("", "endpoint", "none", `path:"none"`)
	toggle("", "endpoint", "/a*", `path:"/a*"`)
	toggle("", "message", `say "hi"`, `msg="say \"hi\""`)
	toggle("", "@user.id", "7", "@user.id:7")
	toggle("", "@user id", "7", `@"user id":7`)
	toggle("status:200 !status:0", "status_code", "0", "status:200")
	toggle("!status:0", "status_code", "200", "!status:0 status:200")
	toggle("!status:500,503", "status_code", "500", "!status:503")
	exclude("", "region", "eu-west-1", "!region:eu-west-1")
	exclude("!region:eu-west-1", "region", "us-east-1", "!region:eu-west-1,us-east-1")
	exclude("region:eu-west-1,us-east-1", "region", "us-east-1", "region:eu-west-1")
	exclude("!region:a", "region", "a", "!region:a")

	last := func(text, want string) {
		t.Helper()
		if got := mustParse(t, text).DropLast(); got != want {
			t.Errorf("%q without its last term is %q, want %q", text, got, want)
		}
	}
	last("", "")
	last("a", "")
	last("a status:500", "a")
	last("a AND b", "a")
	last("a | b", "")
	last(`a "b c"`, "a")

	q := mustParse(t, "service:auth status:500,503 !region:x level:WARN")
	for _, row := range []struct {
		column, value   string
		asked, excluded bool
	}{{"status_code", "503", true, false}, {"status_code", "200", false, false}, {"region", "x", false, true}, {"level", "Warn", true, false}} {
		if asked, excluded := q.Lists(row.column, row.value); asked != row.asked || excluded != row.excluded {
			t.Errorf("%s %s: asked %v, excluded %v", row.column, row.value, asked, excluded)
		}
	}
	if got, want := q.SQLWithout("status_code"), "service_name = 'auth' AND NOT (region = 'x') AND lower(level) = 'warn'"; !strings.Contains(got, "service_name = 'auth'") || strings.Contains(got, "status_code") {
		t.Errorf("%s, want %s", got, want)
	}
	if v, ok := mustParse(t, "service:Auth").Only("service_name"); !ok || v != "auth" {
		t.Errorf("%q %v", v, ok)
	}
	if _, ok := q.Only("service_name"); ok {
		t.Error("four terms are one")
	}
}

// TestColumns: every column of events is a field, an instant, or the attributes.
func TestColumns(t *testing.T) {
	columns := map[string]bool{}
	for _, c := range lake.Columns() {
		columns[c.Name] = true
		if _, err := Parse(c.Name + ":1"); err != nil && !strings.Contains(err.Error(), "time range") && c.Name != "attributes" {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
	for _, f := range fields {
		if !columns[f.column] {
			t.Errorf("%s is no column of events", f.column)
		}
	}
}

// FuzzParse: any text is refused with a place, or compiles; and what is made of it by a key parses again.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "a", `"a b" !c`, "status:500,503 | (x y)", "latency>1.5s path:/a/*", "has:@a.b is:error", "a AND b OR !c", `@"x y":"z\"",none`, "((((a))))", "!!NOT !a", "path:''; DROP TABLE events; --"} {
		f.Add(seed, "service_name", "x")
	}
	f.Add("a", "@k", "v")
	f.Fuzz(func(t *testing.T, text, column, value string) {
		q, err := Parse(text)
		if err != nil {
			var wrong *Error
			if !errors.As(err, &wrong) || wrong.Offset < 0 || wrong.Offset > wrong.End || wrong.End > len(text) || wrong.Message == "" {
				t.Fatalf("%q: %#v", text, err)
			}
			return
		}
		condition := q.SQL()
		if depth, quoted := 0, false; condition != "" {
			for _, r := range condition {
				switch {
				case r == '\'':
					quoted = !quoted
				case quoted:
				case r == '(':
					depth++
				case r == ')':
					depth--
				case r == ';' || r == '-' && strings.Contains(condition, "--") && !strings.ContainsRune(text, '-'):
					t.Fatalf("%q says more than a condition: %s", text, condition)
				}
				if depth < 0 {
					t.Fatalf("%q: brackets of %s", text, condition)
				}
			}
			if depth != 0 || quoted {
				t.Fatalf("%q: brackets or quotes of %s", text, condition)
			}
		}
		if _, err := Parse(q.DropLast()); err != nil {
			t.Fatalf("%q without its last term, %q: %v", text, q.DropLast(), err)
		}
		if fieldOf(column) == nil || (&parser{text: value}).check() != nil || (&parser{text: column}).check() != nil || len(text)+len(value)+len(column) > maxText/4 {
			return
		}
		if f := fieldOf(column); f.kind == integer || f.kind == duration || f.kind == document && strings.HasPrefix(column, "@") == false {
			return
		}
		for _, edited := range []string{q.Toggle(fieldOf(column).column, value), q.Exclude(fieldOf(column).column, value)} {
			if _, err := Parse(edited); err != nil {
				t.Fatalf("%q became %q: %v", text, edited, err)
			}
		}
		if fieldOf(column).kind == document {
			return
		}
		if asked, _ := mustParse(t, Term(fieldOf(column).column, value)).Lists(fieldOf(column).column, value); !asked {
			t.Fatalf("%q does not ask for %s %q", Term(fieldOf(column).column, value), column, value)
		}
	})
}
