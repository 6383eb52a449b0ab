package widget

import (
	"strings"

	"github.com/alecthomas/chroma/v2"
	"github.com/alecthomas/chroma/v2/lexers"

	"github.com/signallake/signallake/tui/cell"
)

// maxHighlight is how many bytes are highlighted: chroma takes about 0.1 ms a line, and a key must be answered within a frame.
const maxHighlight = 4 << 10

// ownWords are words of the engine's dialect that the lexer, made for another one, takes for names.
var ownWords = map[string]cell.Style{
	"pivot": cell.Keyword, "unpivot": cell.Keyword, "qualify": cell.Keyword, "asof": cell.Keyword, "positional": cell.Keyword, "summarize": cell.Keyword, "describe": cell.Keyword,
	"exclude": cell.Keyword, "sample": cell.Keyword, "anti": cell.Keyword, "semi": cell.Keyword, "filter": cell.Keyword, "ilike": cell.Keyword, "try_cast": cell.Keyword,
	"quantile_cont": cell.Function, "quantile_disc": cell.Function, "approx_quantile": cell.Function, "time_bucket": cell.Function, "date_trunc": cell.Function,
	"count": cell.Function, "sum": cell.Function, "avg": cell.Function, "min": cell.Function, "max": cell.Function, "arg_max": cell.Function, "arg_min": cell.Function,
	"strftime": cell.Function, "list_aggregate": cell.Function, "regexp_matches": cell.Function, "json_extract": cell.Function, "json_extract_string": cell.Function,
	"events": cell.Accent, "minutes": cell.Accent, "minutes_by_endpoint": cell.Accent,
}

// highlight gives every rune of the lines its style. What lies beyond maxHighlight stays plain.
func highlight(lines [][]rune) [][]cell.Style {
	styles := make([][]cell.Style, len(lines))
	var text strings.Builder
	for i, line := range lines {
		styles[i] = make([]cell.Style, len(line))
		if text.Len() < maxHighlight {
			text.WriteString(string(line))
			text.WriteByte('\n')
		}
	}
	lexer := lexers.Get("postgresql")
	if lexer == nil {
		return styles
	}
	tokens, err := lexer.Tokenise(nil, text.String())
	if err != nil {
		return styles
	}
	row, col := 0, 0
	for token := tokens(); token != chroma.EOF; token = tokens() {
		style := styleOf(token)
		for _, r := range token.Value {
			if r == '\n' {
				row, col = row+1, 0
				continue
			}
			if row < len(styles) && col < len(styles[row]) {
				styles[row][col] = style
			}
			col++
		}
	}
	return styles
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
