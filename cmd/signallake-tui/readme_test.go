package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	codeSpan = regexp.MustCompile("`([^`]+)`")
	flagWord = regexp.MustCompile(`--[a-z][a-z-]+`)
	linkTo   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// tableUnder returns the first cells of the table under a heading, without its own heading.
func tableUnder(t *testing.T, text, heading string) []string {
	t.Helper()
	_, section, ok := strings.Cut(text, "\n## "+heading+"\n")
	if !ok {
		t.Fatalf("the README has no section %q", heading)
	}
	var cells []string
	for line := range strings.Lines(section) {
		if strings.HasPrefix(line, "## ") || len(cells) > 0 && !strings.HasPrefix(line, "|") {
			break
		}
		if first, ok := strings.CutPrefix(strings.ReplaceAll(line, `\|`, "¦"), "| `"); ok {
			first, _, _ = strings.Cut(first, "|")
			cells = append(cells, "`"+strings.ReplaceAll(first, "¦", "|"))
		}
	}
	return cells
}

func helpText(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	w := &world{stdin: strings.NewReader(""), stdout: &out, stderr: &out, getenv: func(string) string { return "" }}
	if code := run(context.Background(), append([]string{"help"}, args...), w); code != exitOK {
		t.Fatalf("help %v: exit code %d\n%s", args, code, out.String())
	}
	return out.String()
}

// TestReadmeListsTheCommands holds the README's table of commands and `signallake-tui help` against each other, and its flags against the
// help of each command.
func TestReadmeListsTheCommands(t *testing.T) {
	var told, known []string
	for _, cell := range tableUnder(t, readme(t), "Commands") {
		for _, span := range codeSpan.FindAllStringSubmatch(cell, -1) {
			fields := strings.Fields(span[1])
			c, words := named(fields)
			if words == 0 {
				told = append(told, fields[0])
				continue
			}
			name := c.name
			told = append(told, name)
			help := helpText(t, fields[:words]...)
			for _, flag := range flagWord.FindAllString(span[1], -1) {
				if !strings.Contains(help, "  -"+strings.TrimPrefix(flag, "--")) {
					t.Errorf("the README gives %s the flag %s, which its help does not list", name, flag)
				}
			}
		}
	}
	list := helpText(t)
	for _, c := range commands() {
		if c.summary == "" {
			continue
		}
		known = append(known, c.name)
		if !strings.Contains(list, "\n  "+c.name+" ") {
			t.Errorf("help does not list %s", c.name)
		}
		if !slices.Contains(told, c.name) {
			t.Errorf("the README's table of commands lacks %s", c.name)
		}
	}
	for _, name := range told {
		if !slices.Contains(known, name) {
			t.Errorf("the README lists the command %s, which does not exist", name)
		}
	}
}

// TestLinksLead follows the links between the documents, also to their headings and pictures.
func TestLinksLead(t *testing.T) {
	top := filepath.Join("..", "..")
	documents, err := filepath.Glob(filepath.Join(top, "docs", "*.md"))
	if err != nil || len(documents) < 4 {
		t.Fatalf("%d documents (%v)", len(documents), err)
	}
	for _, document := range append(documents, filepath.Join(top, "README.md")) {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range linkTo.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(link[1], "://") {
				continue
			}
			path, heading, _ := strings.Cut(link[1], "#")
			target := document
			if path != "" {
				target = filepath.Join(filepath.Dir(document), path)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which is not there", filepath.Base(document), link[1])
			} else if heading != "" && !slices.Contains(headings(t, target), heading) {
				t.Errorf("%s links to the heading #%s of %s, which has none of that name", filepath.Base(document), heading, filepath.Base(target))
			}
		}
	}
}

// headings are a document's headings as links name them.
func headings(t *testing.T, document string) []string {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			name := strings.Map(func(r rune) rune {
				switch {
				case r == ' ':
					return '-'
				case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_':
					return r
				}
				return -1
			}, strings.ToLower(strings.TrimSpace(title)))
			names = append(names, name)
		}
	}
	return names
}
