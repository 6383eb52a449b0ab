package tui

import (
	"errors"
	"net/url"
	"strings"
)

var errOpenQuote = errors.New("a quote is not closed")

// pathWord is one path in a line of several: its text without quotes, and where it stands in the line, in bytes.
type pathWord struct {
	text       string
	start, end int
}

// splitPaths takes a line apart as a shell would: blanks part, quotes and backslashes keep together.
func splitPaths(line string) ([]pathWord, error) {
	var list []pathWord
	var word strings.Builder
	start, quote := -1, rune(0)
	escaped := false
	for i, r := range line {
		if start < 0 && r != ' ' && r != '\t' {
			start = i
		}
		switch {
		case start < 0:
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped = true
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote = r
		case quote == 0 && (r == ' ' || r == '\t'):
			list = append(list, pathWord{word.String(), start, i})
			word.Reset()
			start = -1
		default:
			word.WriteRune(r)
		}
	}
	if start >= 0 {
		list = append(list, pathWord{word.String(), start, len(line)})
	}
	if quote != 0 || escaped {
		return list, errOpenQuote
	}
	return list, nil
}

// wordBefore is the word that a line ends in: where it begins, and its text without quotes. At a blank it is an empty one.
func wordBefore(line string) (start int, text string) {
	list, _ := splitPaths(line + "x") // the x keeps a blank at the end from closing the last word, and belongs to the one that is open
	last := list[len(list)-1]
	return last.start, strings.TrimSuffix(last.text, "x")
}

// quotePath writes a path so that splitPaths reads it as one word.
func quotePath(path string) string {
	return strings.NewReplacer(" ", `\ `, "\t", "\\\t", `\`, `\\`, `"`, `\"`, `'`, `\'`).Replace(path)
}

// hasPattern tells that a path may stand for several files.
func hasPattern(path string) bool { return strings.ContainsAny(path, "*?[") }

// pastedPaths are the paths in a text that a terminal pastes when files are dropped on it, or that people copy: file:// URLs, quoted paths,
// bare ones, one a line or several. ok tells that it is nothing else.
func pastedPaths(text string) (line string, ok bool) {
	var paths []string
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' || r == 0 }) {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		words, err := splitPaths(part)
		if bare(part) || err != nil {
			words = []pathWord{{text: part}}
		}
		for _, w := range words {
			path, good := pastedPath(w.text)
			if !good {
				return "", false
			}
			paths = append(paths, quotePath(path))
		}
	}
	return strings.Join(paths, " "), len(paths) > 0
}

// bare tells that a pasted line is one path with blanks in it that nobody quoted: no quotes, and no second word that begins like a path.
func bare(line string) bool {
	if strings.ContainsAny(line, `"'\`) {
		return false
	}
	for _, word := range strings.Fields(line)[1:] {
		if strings.HasPrefix(word, "/") || strings.HasPrefix(word, "~/") || strings.HasPrefix(word, "./") || strings.HasPrefix(word, "file://") {
			return false
		}
	}
	return true
}

// pastedPath is one pasted path; only what begins like one is.
func pastedPath(text string) (string, bool) {
	if strings.HasPrefix(text, "file://") {
		u, err := url.Parse(text)
		if err != nil || u.Path == "" {
			return "", false
		}
		return u.Path, true
	}
	for _, prefix := range []string{"/", "~/", "./", "../"} {
		if strings.HasPrefix(text, prefix) {
			return text, true
		}
	}
	return "", false
}
