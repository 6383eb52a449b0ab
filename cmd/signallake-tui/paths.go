package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/tui"
)

const (
	maxEntries   = 20_000 // of one folder that completion looks at: more than people can choose from
	entriesAtOne = 512    // read before completion asks whether it is still wanted
)

// completePath answers the names that continue path, sorted, folders with a slash at their end; what was typed before the last slash stays
// as it is, ~ too. Hidden names come only where the typed one begins with a dot. A folder that is not there continues nothing.
func completePath(ctx context.Context, path string) ([]string, error) {
	if path == "~" {
		return []string{"~/"}, nil
	}
	typed, base := path[:strings.LastIndexByte(path, '/')+1], path[strings.LastIndexByte(path, '/')+1:]
	folder, err := expandHome(typed)
	if err != nil {
		return nil, err
	}
	if folder == "" {
		folder = "."
	}
	dir, err := os.Open(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	var names []string
	for seen := 0; seen < maxEntries; {
		entries, err := dir.ReadDir(entriesAtOne)
		for _, entry := range entries {
			if name := entry.Name(); strings.HasPrefix(name, base) && (name[0] != '.' || strings.HasPrefix(base, ".")) && typeable(name) {
				names = append(names, typed+name+slashOf(folder, entry))
			}
		}
		seen += len(entries)
		if errors.Is(err, io.EOF) {
			break
		}
		if err := errors.Join(err, ctx.Err()); err != nil {
			return nil, err
		}
	}
	slices.Sort(names)
	return names, nil
}

// typeable tells whether a name can stand in a field: no control characters, whole runes.
func typeable(name string) bool {
	return utf8.ValidString(name) && strings.IndexFunc(name, func(r rune) bool { return !unicode.IsGraphic(r) }) < 0
}

// slashOf is what follows a folder's name. Links are looked at, other things are not.
func slashOf(folder string, entry fs.DirEntry) string {
	isDir := entry.IsDir()
	if entry.Type()&fs.ModeSymlink != 0 {
		info, err := os.Stat(filepath.Join(folder, entry.Name()))
		isDir = err == nil && info.IsDir()
	}
	if isDir {
		return "/"
	}
	return ""
}

// expandHome puts the user's home for a leading ~.
func expandHome(path string) (string, error) {
	if path != "~" && !strings.HasPrefix(path, "~/") {
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("expand ~ in %s: %w: write the whole path", path, err)
	}
	return home + path[1:], nil
}

// expandPaths makes files of what the console's form holds: ~ and patterns, which a shell would have expanded for the command. A file whose
// name looks like a pattern is itself. A pattern without a file is an error; a path without one is the import's to tell.
func expandPaths(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		whole, err := expandHome(path)
		if err != nil {
			return nil, err
		}
		_, err = os.Lstat(whole)
		if err == nil || !strings.ContainsAny(whole, "*?[") {
			files = append(files, whole)
			continue
		}
		matches, err := filepath.Glob(whole)
		if err != nil {
			return nil, fmt.Errorf("%s: %w: * stands for any text, ? for one character, [a-z] for one of these", path, err)
		}
		hidden := strings.HasPrefix(filepath.Base(whole), ".")
		matches = slices.DeleteFunc(matches, func(name string) bool {
			info, err := os.Stat(name)
			return err == nil && info.IsDir() || !hidden && strings.HasPrefix(filepath.Base(name), ".")
		})
		if len(matches) == 0 {
			return nil, fmt.Errorf("no file matches %s", path)
		}
		files = append(files, matches...)
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

// importOf is an import that takes paths as people type them in the console's form.
func importOf(run func(context.Context, tui.ImportParams, *lake.Progress) (string, error)) func(context.Context, tui.ImportParams, *lake.Progress) (string, error) {
	if run == nil {
		return nil
	}
	return func(ctx context.Context, p tui.ImportParams, progress *lake.Progress) (string, error) {
		files, err := expandPaths(p.Paths)
		if err != nil {
			return "", err
		}
		p.Paths = files
		return run(ctx, p, progress)
	}
}
