package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// version is what `make release` and the image stamp into the program by the linker: a tag or a commit of the repository.
var version string

// runVersion tells what this program was built from.
func runVersion(_ context.Context, w *world, args []string) error {
	flags, _ := newFlags(w, "version")
	if _, err := parseFlags(flags, args, 0); err != nil {
		return err
	}
	info, ok := debug.ReadBuildInfo()
	fmt.Fprintf(w.stdout, "signallake-tui %s, %s, %s/%s%s\n", buildVersion(info), runtime.Version(), runtime.GOOS, runtime.GOARCH, engineVersion(info, ok))
	return nil
}

// buildVersion is the stamp, else the commit that the go command found, else the truth: a build of unknown source.
func buildVersion(info *debug.BuildInfo) string {
	if version != "" || info == nil {
		return version
	}
	commit, changed := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "-dirty"
		}
	}
	if commit == "" {
		return "unreleased"
	}
	return commit + changed
}

// engineVersion names the DuckDB driver, whose release decides how statements are answered.
func engineVersion(info *debug.BuildInfo, ok bool) string {
	if !ok {
		return ""
	}
	for _, dep := range info.Deps {
		if strings.HasPrefix(dep.Path, "github.com/duckdb/duckdb-go/") {
			return ", duckdb-go " + dep.Version
		}
	}
	return ""
}
