package duck

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/signallake/signallake/sql"
)

const (
	// maxTextBytes is far above what people type and below what makes DuckDB's parser slow.
	maxTextBytes = 64 << 10
	// maxBrackets keeps the parser's and our own recursion shallow.
	maxBrackets = 150
)

// hintSelect is the way out of most refusals.
const hintSelect = "the prompt answers questions: one SELECT, WITH, FROM, VALUES, SUMMARIZE, DESCRIBE or EXPLAIN over events"

// relations are the tables and views that a statement may name.
var relations = [...]string{"events", "hours", "hours_by_endpoint", "minutes", "minutes_by_endpoint"}

// showTables answers SHOW TABLES: DuckDB's own answer would list the hot segments.
const showTables = "SELECT * FROM (VALUES ('events', 'every event, converted or not'), ('hours', 'cells by hour and service'), " +
	"('hours_by_endpoint', 'cells by hour, service, endpoint and region'), ('minutes', 'cells by minute and service'), " +
	"('minutes_by_endpoint', 'cells by minute, service, endpoint and region')) AS t(name, holds)"

// statement is a text that the gate let through.
type statement struct {
	body      string               // what runs: one SELECT-like statement without a trailing semicolon
	offset    int                  // of body in the text, for places in errors
	explain   bool                 // EXPLAIN stood before it
	relations map[string]bool      // of ours that it names; a CTE of the same name counts
	inline    bool                 // it means the same with events as a common table expression before it; see inlineSQL
	shape     *shape               // when digests may answer it
	planned   atomic.Pointer[plan] // the last one made for it
}

// gate decides what may run. Nothing is executed or bound to find out: DuckDB's parser, on a connection that has no data, answers the tree, and
// everything in the tree that is not known to be harmless is refused.
type gate struct {
	functions map[string]bool // true: may be called
}

//go:embed functions.txt
var functionList string

func newGate() *gate {
	g := &gate{functions: map[string]bool{"approx_percentile": true, "->": true, "unnest": true}}
	allowed := false
	for line := range strings.Lines(functionList) {
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "["):
			allowed = strings.HasPrefix(line, "[allowed]")
		default:
			for _, name := range strings.Fields(line) {
				g.functions[strings.ToLower(name)] = allowed
			}
		}
	}
	return g
}

// admit returns the statement to run, a *sql.RefusedError or a *sql.SyntaxError.
func (g *gate) admit(c *conn, text string) (*statement, error) {
	o := scanOutline(text)
	s := &statement{body: o.body, offset: o.offset}
	if err := o.check(text); err != nil {
		return nil, err
	}
	if o.first == "EXPLAIN" {
		if err := s.stripExplain(o); err != nil {
			return nil, err
		}
	}
	answer, err := c.text("SELECT json_serialize_sql(" + sql.Literal(s.body) + ", skip_null := true, skip_empty := true, skip_default := true)::VARCHAR")
	if err != nil {
		return nil, fmt.Errorf("parse the statement: %w", err)
	}
	root, err := s.tree(answer)
	if err != nil {
		return nil, err
	}
	w := walker{functions: g.functions, ctes: map[string]bool{}, relations: map[string]bool{}}
	if w.isShowTables(root) {
		s.body = showTables
		return s, nil
	}
	if err := w.collectCTEs(root); err != nil {
		return nil, err
	}
	if err := w.walk(root); err != nil {
		return nil, err
	}
	s.relations, s.inline = w.relations, w.relations["events"] && !w.viewOnly && !w.ctes["events"] && !s.explain
	if !s.explain {
		s.shape = recognise(root)
	}
	return s, nil
}

// check refuses what need not be parsed.
func (o *outline) check(text string) error {
	switch {
	case strings.IndexByte(text, 0) >= 0 || !utf8.ValidString(text):
		return &sql.SyntaxError{Message: "the statement is not valid UTF-8 text", Offset: -1}
	case len(text) > maxTextBytes:
		return &sql.RefusedError{What: fmt.Sprintf("a statement of %d bytes", len(text)), Hint: fmt.Sprintf("at most %d are read", maxTextBytes)}
	case strings.TrimSpace(o.body) == "":
		return &sql.SyntaxError{Message: "there is no statement yet", Offset: 0}
	case o.depth > maxBrackets:
		return &sql.RefusedError{What: fmt.Sprintf("nesting of %d brackets", o.depth), Hint: fmt.Sprintf("at most %d; name the inner parts with WITH", maxBrackets)}
	case o.several:
		return &sql.RefusedError{What: "more than one statement", Hint: "run them one by one"}
	case refusedWords[o.first] != "":
		return &sql.RefusedError{What: o.first, Hint: refusedWords[o.first]}
	}
	return nil
}

// refusedWords are the beginnings of statements that deserve a better hint than "only SELECT". The tree would refuse them as well.
var refusedWords = map[string]string{
	"COPY": "to take rows out use `signallake-tui query --format csv`", "EXPORT": "the Parquet files are yours: `signallake-tui files` lists them",
	"ATTACH": "only the lake can be asked", "DETACH": "only the lake can be asked", "USE": "only the lake can be asked",
	"INSTALL": "extensions are not loaded here", "LOAD": "extensions are not loaded here",
	"SET": "settings are fixed, the time zone is UTC", "RESET": "settings are fixed, the time zone is UTC", "PRAGMA": "settings are fixed, the time zone is UTC",
	"INSERT": "events come in through POST /ingest or `generate`", "UPDATE": "events never change", "DELETE": "events never change",
	"DROP": "the lake's tables stay", "ALTER": "the lake's tables stay", "CREATE": "name intermediate results with WITH",
	"PIVOT": "write FROM (PIVOT ... ON column IN (values) USING ...)", "CALL": hintSelect, "PREPARE": hintSelect, "EXECUTE": hintSelect,
	"BEGIN": "each statement sees one version of the lake by itself", "COMMIT": "each statement sees one version of the lake by itself",
	"ROLLBACK": "each statement sees one version of the lake by itself", "CHECKPOINT": hintSelect, "VACUUM": hintSelect, "ANALYZE": hintSelect,
}

// stripExplain takes EXPLAIN off. Its options go no further: EXPLAIN ANALYZE runs the statement, whatever it is.
func (s *statement) stripExplain(o outline) error {
	if o.second == "ANALYZE" || o.second == "ANALYSE" {
		return &sql.RefusedError{What: "EXPLAIN ANALYZE", Hint: "it would run the statement: run it without EXPLAIN, its time, files and bytes are shown"}
	}
	inner := scanOutline(o.body[o.rest:])
	if strings.HasPrefix(inner.body, "(") {
		if word := scanOutline(inner.body[1:]).first; word == "ANALYZE" || word == "ANALYSE" || word == "FORMAT" {
			return &sql.RefusedError{What: "EXPLAIN with options", Hint: "write EXPLAIN SELECT ..."}
		}
	}
	if strings.TrimSpace(inner.body) == "" {
		return &sql.SyntaxError{Message: "EXPLAIN what? Write EXPLAIN SELECT ...", Offset: o.offset + o.rest}
	}
	if refusedWords[inner.first] != "" || inner.first == "EXPLAIN" {
		return &sql.RefusedError{What: "EXPLAIN " + inner.first, Hint: "only questions can be explained: EXPLAIN SELECT ..."}
	}
	s.explain, s.body, s.offset = true, inner.body, o.offset+o.rest+inner.offset
	return nil
}

// tree reads the serialiser's answer: the tree of one statement, or why there is none.
func (s *statement) tree(answer string) (any, error) {
	var top struct {
		Error      bool   `json:"error"`
		Kind       string `json:"error_type"`
		Message    string `json:"error_message"`
		Position   string `json:"position"`
		Statements []any  `json:"statements"`
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(answer)))
	decoder.UseNumber()
	if err := decoder.Decode(&top); err != nil {
		return nil, fmt.Errorf("read the statement's tree: %w", err)
	}
	switch {
	case top.Error && top.Kind == "parser":
		return nil, &sql.SyntaxError{Message: top.Message, Offset: s.place(top.Position)}
	case top.Error:
		return nil, &sql.RefusedError{What: "this kind of statement", Hint: hintSelect}
	case len(top.Statements) == 0:
		return nil, &sql.SyntaxError{Message: "there is no statement yet", Offset: 0}
	case len(top.Statements) > 1:
		return nil, &sql.RefusedError{What: "more than one statement", Hint: "run them one by one"}
	}
	return top.Statements[0], nil
}

// place turns a position in body into one in the text.
func (s *statement) place(position string) int {
	n, err := strconv.Atoi(position)
	if err != nil || n < 0 || n > len(s.body) {
		return -1
	}
	return s.offset + n
}
