package cell

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// mark stands for anything that must not be sent: control characters, escape, broken bytes, clusters of uncertain width.
const mark = "·"

// next takes the first cluster of s: the text to draw (never a control character), its width in cells (0: draw nothing) and how many bytes
// of s it stands for. Clusters that terminals measure in different ways are replaced, so that a row never shifts.
func next(s string) (text string, w, n int) {
	r, size := utf8.DecodeRuneInString(s)
	switch {
	case r == utf8.RuneError && size <= 1:
		return mark, 1, 1
	case r < 0x20 || r == 0x7f || (r >= 0x80 && r < 0xa0):
		return mark, 1, size
	case unicode.In(r, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp):
		return "", 0, size
	case clings(r):
		return mark, 1, size
	}
	cluster, width := ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
	n = max(len(cluster), size)
	if simple(cluster) && width == ansi.StringWidthWc(cluster) && (width == 1 || width == 2) {
		return cluster, width, n
	}
	first := s[:size]
	if width = ansi.StringWidth(first); width == ansi.StringWidthWc(first) && (width == 1 || width == 2) && !regional(r) {
		return first, width, n
	}
	return mark, 1, n
}

// simple tells whether a cluster has no joiners, selectors or other invisible parts: such clusters are what terminals disagree about.
func simple(cluster string) bool {
	for _, r := range cluster {
		if r < 0x20 || unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Cc) || regional(r) {
			return false
		}
	}
	return true
}

// clings tells whether a rune that stands first would join the cell before it: a mark without its letter, a vowel or final of Hangul alone.
func clings(r rune) bool {
	return unicode.IsMark(r) || r >= 0x1160 && r <= 0x11ff || r >= 0xd7b0 && r <= 0xd7ff
}

func regional(r rune) bool { return r >= 0x1f1e6 && r <= 0x1f1ff }

// Width is how many columns Text takes for s.
func Width(s string) int {
	total := 0
	for len(s) > 0 {
		if b := s[0]; b >= 0x20 && b < 0x7f && (len(s) == 1 || s[1] < 0x80) {
			total, s = total+1, s[1:]
			continue
		}
		_, w, n := next(s)
		total, s = total+w, s[n:]
	}
	return total
}

// Cut shortens s to w columns; what is cut ends with an ellipsis.
func Cut(s string, w int) string {
	if w <= 0 {
		return ""
	}
	if len(s) <= w || Width(s) <= w {
		return s
	}
	rest, used, end := s, 0, 0
	for len(rest) > 0 {
		_, cw, n := next(rest)
		if used+cw > w-1 {
			break
		}
		used, end, rest = used+cw, end+n, rest[n:]
	}
	return s[:end] + "…"
}

// Skip leaves out the first w columns of s.
func Skip(s string, w int) string {
	for w > 0 && len(s) > 0 {
		_, cw, n := next(s)
		s, w = s[n:], w-cw
	}
	return s
}

// Pad cuts or fills s to exactly w columns.
func Pad(s string, w int) string {
	s = Cut(s, w)
	return s + strings.Repeat(" ", max(0, w-Width(s)))
}

// PadLeft is Pad with the text at the right.
func PadLeft(s string, w int) string {
	s = Cut(s, w)
	return strings.Repeat(" ", max(0, w-Width(s))) + s
}

// Clean is s without control characters and direction marks, tabs and newlines kept: what may go to a clipboard.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		if r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf) {
			return -1
		}
		return r
	}, s)
}

// Wrap breaks s into lines of at most w columns, at spaces where it can. Newlines of s break, too; a line's indent is kept below it.
func Wrap(s string, w int) []string {
	var lines []string
	for _, paragraph := range strings.Split(s, "\n") {
		text := strings.TrimLeft(paragraph, " ")
		indent := paragraph[:min(len(paragraph)-len(text), max(0, w/2))]
		for _, line := range wrapWords(text, w-len(indent)) {
			lines = append(lines, indent+line)
		}
	}
	return lines
}

// wordsOf splits a paragraph where lines may break; a number keeps its percent sign.
func wordsOf(text string) []string {
	words := strings.Split(text, " ")
	kept, sign := words[:1], strings.HasPrefix(words[0], "%")
	for _, word := range words[1:] {
		was := sign
		if sign = strings.HasPrefix(word, "%"); sign && !was {
			kept[len(kept)-1] += " " + word
		} else {
			kept = append(kept, word)
		}
	}
	return kept
}

// wrapWords wraps one paragraph.
func wrapWords(text string, w int) []string {
	var lines []string
	line := ""
	for _, word := range wordsOf(text) {
		for w > 0 {
			head := fit(word, w)
			if len(head) == len(word) {
				break
			}
			if line != "" {
				lines, line = append(lines, line), ""
			}
			lines, word = append(lines, head), word[len(head):]
		}
		switch {
		case line == "":
			line = word
		case Width(line)+1+Width(word) <= w:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	return append(lines, line)
}

// fit is the longest start of s that takes at most w columns, and at least one cluster.
func fit(s string, w int) string {
	used, end := 0, 0
	for end < len(s) {
		_, cw, n := next(s[end:])
		if end > 0 && used+cw > w {
			break
		}
		used, end = used+cw, end+n
	}
	return s[:end]
}

// asciiFor is the ASCII stand-in of a cluster.
func asciiFor(text string, w int) string {
	if text[0] < 0x80 {
		return text[:1] // a letter without its accents
	}
	if s, ok := asciiGlyphs[text]; ok && w == 1 {
		return s
	}
	return "?"
}
