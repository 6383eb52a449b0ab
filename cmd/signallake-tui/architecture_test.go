package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/signallake/signallake/"

// mayImport is the law of the floors: a package of ours may import just these of ours (a trailing /... covers what lies below).
var mayImport = map[string][]string{
	"lake/column":                 {},
	"lake/digest":                 {"lake/rollup"},
	"lake/rollup":                 {"lake/column"},
	"lake":                        {"lake/rollup", "lake/column", "lake/digest"},
	"lake/gen":                    {"lake"},
	"lake/laketest":               {"lake"},
	"ingest":                      {"lake", "lake/retry", "ingest/replay"},
	"ingest/format":               {"lake"},
	"ingest/importer":             {"lake", "ingest/format"},
	"ingest/replay":               {"lake", "ingest/format"},
	"ingest/torture":              {"lake"},
	"ingest/load":                 {"lake"}, // a client and its reference for benchmarks: apart from torture, which judges every answer
	"lake/retry":                  {},
	"sql":                         {"lake"},
	"sql/bench":                   {},
	"sql/filter":                  {"sql", "lake"},
	"sql/duck":                    {"sql", "sql/bench", "lake", "lake/column", "lake/rollup", "lake/digest"},
	"tui":                         {"lake", "sql", "sql/bench", "sql/filter", "ingest", "ingest/replay", "tui/..."},
	"tui/...":                     {"lake", "sql", "ingest", "tui/..."},
	"cmd/signallake-tui":          {"lake", "lake/gen", "sql", "sql/bench", "sql/duck", "ingest", "ingest/format", "ingest/importer", "ingest/replay", "ingest/torture", "tui", "cmd/signallake-tui/pipeline"},
	"cmd/signallake-tui/pipeline": {"lake", "lake/gen", "lake/column", "lake/rollup", "sql", "sql/bench", "sql/duck", "ingest", "ingest/torture", "ingest/load"}, // measures every stage, so it knows every stage
	"cmd/shots":                   {},                                                                                                                            // takes the documentation's pictures of the built binary
}

// reserved are foreign modules that only one place may know.
var reserved = map[string]string{
	"github.com/duckdb/":            "sql/duck",
	"charm.land/":                   "tui",
	"github.com/parquet-go/":        "lake",
	"net/http":                      "ingest",
	"github.com/creack/pty":         "cmd/shots",
	"github.com/charmbracelet/x/vt": "cmd/shots",
	"golang.org/x/image":            "cmd/shots",
}

// Limits, and the files and functions that are allowed to be over them, each with its reason.
const (
	maxFileLines     = 400
	maxFunctionLines = 60
	maxMainLines     = 100
)

var allowedLong = map[string]string{}

// sourceFile is one Go file of the tree.
type sourceFile struct {
	path  string // from the top of the tree
	pkg   string // its folder
	test  bool
	lines int
	file  *ast.File
	fset  *token.FileSet
}

func sourceFiles(t *testing.T) []sourceFile {
	t.Helper()
	top := filepath.Join("..", "..")
	var files []sourceFile
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(top, path)
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && rel != "." || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, text, parser.ParseComments)
		if err != nil {
			return err
		}
		files = append(files, sourceFile{path: filepath.ToSlash(rel), pkg: filepath.ToSlash(filepath.Dir(rel)), test: strings.HasSuffix(path, "_test.go"),
			lines: strings.Count(string(text), "\n"), file: file, fset: fset})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Fatalf("found %d Go files: the walk is looking in the wrong place", len(files))
	}
	return files
}

// matches says whether a folder is one that a rule names.
func matches(rule, pkg string) bool {
	if below, ok := strings.CutSuffix(rule, "/..."); ok {
		return strings.HasPrefix(pkg, below+"/")
	}
	return rule == pkg
}

func TestFloors(t *testing.T) {
	for _, f := range sourceFiles(t) {
		allowed, known := mayImport[f.pkg]
		if !known && matches("tui/...", f.pkg) {
			allowed, known = mayImport["tui/..."], true
		}
		if !known {
			t.Errorf("%s: the folder %s has no floor: add it to mayImport with a reason in docs/ARCHITECTURE.md", f.path, f.pkg)
			continue
		}
		for _, spec := range f.file.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			if ours, ok := strings.CutPrefix(path, module); ok {
				if !f.test && !slices.ContainsFunc(allowed, func(rule string) bool { return matches(rule, ours) }) {
					t.Errorf("%s imports %s: the arrow runs the wrong way", f.path, ours)
				}
				if f.test && f.pkg != "cmd/signallake-tui" && strings.HasPrefix(ours, "sql/duck") && f.pkg != "sql/duck" {
					t.Errorf("%s imports %s: DuckDB stays in sql/duck, also in tests", f.path, ours)
				}
			}
			for prefix, home := range reserved {
				if strings.HasPrefix(path, prefix) && f.pkg != home && !strings.HasPrefix(f.pkg, home+"/") && !(f.test && f.pkg == "cmd/signallake-tui") {
					t.Errorf("%s imports %s: only %s may", f.path, path, home)
				}
			}
		}
	}
}

func TestSizes(t *testing.T) {
	seen := map[string]bool{}
	over := func(what string, lines, limit int) {
		if lines <= limit {
			return
		}
		seen[what] = true
		if allowedLong[what] == "" {
			t.Errorf("%s has %d lines, over %d: split it, or give the reason in allowedLong", what, lines, limit)
		}
	}
	for _, f := range sourceFiles(t) {
		limit := maxFileLines
		if f.path == "cmd/signallake-tui/main.go" {
			limit = maxMainLines
		}
		over(f.path, f.lines, limit)
		for _, d := range f.file.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || f.test {
				continue
			}
			over(f.path+":"+fn.Name.Name, f.fset.Position(fn.End()).Line-f.fset.Position(fn.Pos()).Line+1, maxFunctionLines)
		}
	}
	for what := range allowedLong {
		if !seen[what] {
			t.Errorf("allowedLong still lists %s, which is short enough now", what)
		}
	}
}

func TestTopLevel(t *testing.T) {
	allowed := []string{".ci", ".git", ".github", ".gitignore", "Dockerfile", "LICENSE", "Makefile", "README.md", "bin", "cmd", "data", "docs", "docker-compose.yml", "go.mod", "go.sum", "ingest",
		"lake", "sql", "testdata", "tui"}
	entries, err := os.ReadDir(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(allowed, e.Name()) {
			t.Errorf("%s stands at the top of the tree: only %s may", e.Name(), strings.Join(allowed, " "))
		}
	}
}
