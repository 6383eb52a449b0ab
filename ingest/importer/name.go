package importer

import (
	"path/filepath"
	"regexp"
	"strings"

	"github.com/signallake/signallake/ingest/format"
)

// The services of lines that name none: pipeService of those that come from no file, noService where the file's name gives none.
const pipeService, noService = "stdin", "log"

// rotated is what rotation adds to a file's name: a number or a date.
var rotated = regexp.MustCompile(`^(.+?)[._-](?:[0-9]{1,4}|[0-9]{4}-?[0-9]{2}-?[0-9]{2}(?:[Tt_-]?[0-9:.-]*)?)$`)

// ServiceOf makes a service's name from a file's: without folder, compression, rotation and the usual endings, and with the characters that
// the contract allows. access.log.1.gz is access.
func ServiceOf(path string) string {
	if path == "-" || path == "" {
		return pipeService
	}
	name := strings.ToLower(filepath.Base(path))
	for {
		short := name
		for _, end := range []string{".gz", ".zst", ".zstd", ".log", ".jsonl", ".ndjson", ".json", ".txt", ".out"} {
			short = strings.TrimSuffix(short, end)
		}
		if m := rotated.FindStringSubmatch(short); m != nil {
			short = m[1]
		}
		if short == name || short == "" {
			break
		}
		name = short
	}
	if name = format.ServiceName(name); name == "" {
		return noService
	}
	return name
}
