package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"signallake-tui": main})
}

// TestScripts runs the program as a user's shell would, script by script.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			fixtures, err := filepath.Abs(filepath.Join("..", "..", "testdata"))
			e.Setenv("FIXTURES", fixtures)
			e.Setenv("SIGNALLAKE_DATA_DIR", filepath.Join(e.WorkDir, "lake"))
			return err
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"same-tree": sameTree},
	})
}

// sameTree compares two folders, names and contents, state/ apart: `same-tree lake lake.before`.
func sameTree(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: same-tree DIR DIR")
	}
	a, b := treeOf(ts, ts.MkAbs(args[0])), treeOf(ts, ts.MkAbs(args[1]))
	same := len(a) == len(b)
	for name, text := range a {
		if other, ok := b[name]; !ok || other != text {
			same = false
			ts.Logf("differs: %s", name)
		}
	}
	if same == neg {
		ts.Fatalf("%s and %s: same is %v", args[0], args[1], same)
	}
}

func treeOf(ts *testscript.TestScript, root string) map[string]string {
	tree := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		if d.IsDir() {
			if rel == "state" {
				return filepath.SkipDir
			}
			tree[rel+"/"] = ""
			return nil
		}
		text, err := os.ReadFile(path)
		tree[rel] = string(text)
		return err
	})
	if err != nil {
		ts.Fatalf("%v", err)
	}
	return tree
}
