package widget

import (
	"strings"

	"github.com/alecthomas/chroma/v2"
	"github.com/alecthomas/chroma/v2/lexers"

	"github.com/signallake/signallake/tui/cell"
)

// ownWords are words of the engine's dialect that the lexer, made for another one, takes for names.
var ownWords = map[string]cell.Style{
	"pivot": cell.Keyword, "unpivot": cell.Keyword, "qualify": cell.Keyword, "asof": cell.Keyword, "positional": cell.Keyword, "summarize": cell.Keyword, "describe": cell.Keyword,
	"exclude": cell.Keyword, "sample": cell.Keyword, "anti": cell.Keyword, "semi": cell.Keyword, "filter": cell.Keyword, "ilike": cell.Keyword, "try_cast": cell.Keyword,
	"quantile_cont": cell.Function, "quantile_disc": cell.Function, "approx_quantile": cell.Function, "time_bucket": cell.Function, "date_trunc": cell.Function,
	"count": cell.Function, "sum": cell.Function, "avg": cell.Function, "min": cell.Function, "max": cell.Function, "arg_max": cell.Function, "arg_min": cell.Function,
	"strftime": cell.Function, "list_aggregate": cell.Function, "regexp_matches": cell.Function, "json_extract": cell.Function, "json_extract_string": cell.Function,
	"events": cell.Accent, "minutes": cell.Accent, "minutes_by_endpoint": cell.Accent,
}

// highlighter colours lines one by one and remembers them: chroma takes about 0.1 ms a line, and a key must be answered within a frame
// however long the text is. What reaches over lines (block comments, strings) is carried from line to line by an own small scan.
type highlighter struct {
	lexer chroma.Lexer
	known map[string][]cell.Style // by what is open at the line's start, and the line
}

const (
	maxKnownLines = 4000 // then the memory starts over
	maxLineRunes  = 2000 // a longer line stays plain
)

func newHighlighter() *highlighter {
	return &highlighter{lexer: lexers.Get("postgresql"), known: map[string][]cell.Style{}}
}

// styles gives every rune of the lines its style.
func (h *highlighter) styles(lines [][]rune) [][]cell.Style {
	out := make([][]cell.Style, len(lines))
	open := ""
	for i, line := range lines {
		out[i] = h.line(open, line)
		open = openAfter(open, line)
	}
	return out
}

func (h *highlighter) line(open string, line []rune) []cell.Style {
	if len(line) == 0 || len(line) > maxLineRunes || h.lexer == nil {
		return make([]cell.Style, len(line))
	}
	key := open + "\x00" + string(line)
	if styles, ok := h.known[key]; ok {
		return styles
	}
	if len(h.known) >= maxKnownLines {
		clear(h.known)
	}
	styles := make([]cell.Style, len(line))
	h.known[key] = styles
	tokens, err := h.lexer.Tokenise(nil, open+string(line)+closeOf(openAfter(open, line))+"\n")
	if err != nil {
		return styles
	}
	col := -len([]rune(open))
	for token := tokens(); token != chroma.EOF; token = tokens() {
		style := styleOf(token)
		for range token.Value {
			if col >= 0 && col < len(styles) {
				styles[col] = style
			}
			col++
		}
	}
	return styles
}

// openAfter is what is open at the end of a line that begins with open: "" for nothing, else the sign that opened it.
func openAfter(open string, line []rune) string {
	for i := 0; i < len(line); i++ {
		pair := string(line[i:min(i+2, len(line))])
		switch {
		case open == "/*" && pair == "*/":
			open, i = "", i+1
		case open == "" && pair == "/*":
			open, i = "/*", i+1
		case open == "" && pair == "--":
			return ""
		case open == "" && line[i] == '\'':
			open = "'"
		case open == "'" && line[i] == '\'': // a doubled quote closes and opens again
			open = ""
		}
	}
	return open
}

// closeOf closes what is open, so that the lexer sees it as a whole.
func closeOf(open string) string {
	if open == "/*" {
		return "*/"
	}
	return open
}

func styleOf(t chroma.Token) cell.Style {
	switch {
	case t.Type.InCategory(chroma.Comment):
		return cell.Comment
	case t.Type.InSubCategory(chroma.LiteralString):
		return cell.Literal
	case t.Type.InSubCategory(chroma.LiteralNumber):
		return cell.Number
	}
	if own, ok := ownWords[strings.ToLower(t.Value)]; ok {
		return own
	}
	switch {
	case t.Type.InCategory(chroma.Keyword):
		return cell.Keyword
	case t.Type == chroma.NameFunction || t.Type == chroma.NameBuiltin:
		return cell.Function
	}
	return cell.Text
}
