package importer

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sibling is a file beside a followed one whose name says that it may have been it.
type sibling struct {
	path    string
	changed time.Time
	number  int  // of name.1; 0: the name has none
	rotated bool // the name is one that rotation gives, and not only one that begins alike
}

// siblings lists the files that rotation may have made of path: name.1, name-20261121, name.2.gz, and stem-20261121.log of stem.log; those
// that changed first, first. Of a file and its compressed twin the file comes first.
func siblings(path string) ([]sibling, error) {
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	ext := filepath.Ext(base)
	stem := strings.TrimSuffix(base, ext)
	var found []sibling
	for _, e := range entries {
		name := e.Name()
		rest, ok := strings.CutPrefix(name, base)
		if !ok && ext != "" {
			rest, ok = strings.CutPrefix(name, stem)
			rest = strings.Replace(rest, ext, "", 1)
		}
		info, err := e.Info()
		if !ok || rest == "" || !strings.ContainsRune(".-_", rune(rest[0])) || err != nil || !info.Mode().IsRegular() {
			continue
		}
		rest = strings.TrimSuffix(strings.TrimSuffix(rest, ".gz"), ".zst")
		s := sibling{path: filepath.Join(dir, name), changed: info.ModTime(), rotated: rotated.MatchString("x" + rest)}
		s.number, _ = strconv.Atoi(strings.TrimLeft(rest, ".-_"))
		found = append(found, s)
	}
	slices.SortStableFunc(found, func(a, b sibling) int {
		return cmp.Or(a.changed.Compare(b.changed), cmp.Compare(b.number, a.number), cmp.Compare(a.path, b.path))
	})
	return found, nil
}

// compressedTwin tells a.gz beside a: the rotation is compressing it right now.
func compressedTwin(all []sibling, s sibling) bool {
	for _, end := range []string{".gz", ".zst"} {
		if short, ok := strings.CutSuffix(s.path, end); ok && slices.ContainsFunc(all, func(o sibling) bool { return o.path == short }) {
			return true
		}
	}
	return false
}
