package tui

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/tui/cell"
	"github.com/signallake/signallake/tui/widget"
)

// resultView is a finished statement in a grid. Ordering works on the rows at hand; the statement is not run again.
type resultView struct {
	text    string
	columns []sql.ResultColumn
	rows    [][]any
	index   []int // the rows' order on the screen
	more    bool
	stats   sql.Stats
	grid    *widget.Grid
	pager   *widget.Pager // not nil: the result is a text, and no table
}

func newResult(text string, r *sql.Result) *resultView {
	v := &resultView{text: text, columns: r.Columns, rows: r.Rows, more: r.More, stats: r.Stats}
	v.index = make([]int, len(r.Rows))
	for i := range v.index {
		v.index[i] = i
	}
	if plain, ok := textOf(r); ok {
		v.pager = widget.NewPager(plain)
	}
	var heads []string
	var right []bool
	for _, col := range r.Columns {
		heads, right = append(heads, col.Name), append(right, numeric(col.Type))
	}
	v.grid = widget.NewGrid(heads, right, len(v.rows), func(row, col int) (string, bool) {
		value := v.rows[v.index[row]][col]
		return v.show(value, col), value == nil
	})
	return v
}

func numeric(kind string) bool {
	kind, _, _ = strings.Cut(kind, "(")
	switch kind {
	case "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL":
		return true
	}
	return false
}

// show is a value as the grid writes it: short, on one line.
func (v *resultView) show(value any, col int) string {
	switch x := value.(type) {
	case nil:
		return "null"
	case float64:
		return float(x)
	case time.Time:
		if v.columns[col].Type == "DATE" {
			return x.Format(time.DateOnly)
		}
		return strings.TrimSuffix(x.Format("2006-01-02 15:04:05.000000"), ".000000")
	case string:
		return x
	case bool:
		return strconv.FormatBool(x)
	case int64:
		return strconv.FormatInt(x, 10)
	}
	return fmt.Sprint(value)
}

// float writes a number with at most four decimals where that says it, and exactly where it would not.
func float(x float64) string {
	abs := max(x, -x)
	if abs != 0 && (abs < 0.001 || abs >= 1e15) {
		return strconv.FormatFloat(x, 'g', -1, 64)
	}
	s := strconv.FormatFloat(x, 'f', 4, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// exact is a value in full.
func (v *resultView) exact(value any, col int) string {
	if x, ok := value.(float64); ok {
		return strconv.FormatFloat(x, 'g', -1, 64)
	}
	return v.show(value, col)
}

// order steps the order of the column at hand: up, down, as the rows came.
func (v *resultView) order() {
	_, col := v.grid.Cursor()
	switch {
	case v.grid.SortBy != col:
		v.grid.SortBy, v.grid.Descending = col, false
	case !v.grid.Descending:
		v.grid.Descending = true
	default:
		v.grid.SortBy, v.grid.Descending = -1, false
	}
	slices.Sort(v.index)
	if v.grid.SortBy < 0 {
		return
	}
	slices.SortStableFunc(v.index, func(a, b int) int {
		x, y := v.rows[a][col], v.rows[b][col]
		if x == nil || y == nil { // nulls last, whichever way
			return cmp.Compare(boolInt(x == nil), boolInt(y == nil))
		}
		if v.grid.Descending {
			x, y = y, x
		}
		return compare(x, y)
	})
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// compare orders two values of one column; text that holds numbers (decimals, big integers) orders as numbers.
func compare(x, y any) int {
	switch a := x.(type) {
	case int64:
		if b, ok := y.(int64); ok {
			return cmp.Compare(a, b)
		}
	case float64:
		if b, ok := y.(float64); ok {
			return cmp.Compare(a, b)
		}
	case time.Time:
		if b, ok := y.(time.Time); ok {
			return a.Compare(b)
		}
	case bool:
		if b, ok := y.(bool); ok {
			return cmp.Compare(boolInt(a), boolInt(b))
		}
	case string:
		if b, ok := y.(string); ok {
			n, err1 := strconv.ParseFloat(a, 64)
			m, err2 := strconv.ParseFloat(b, 64)
			if err1 == nil && err2 == nil && n != m {
				return cmp.Compare(n, m)
			}
			return strings.Compare(a, b)
		}
	}
	return strings.Compare(fmt.Sprint(x), fmt.Sprint(y))
}

// total says how many rows there are, honestly: 10,000+ when the statement has more.
func (v *resultView) total() string {
	n := count(int64(len(v.rows)))
	if v.more {
		n += "+"
	}
	return n
}

// title is the window of rows: 1–50 of 10,000+.
func (v *resultView) title() string {
	switch {
	case len(v.rows) == 0:
		return "result: no rows"
	case v.pager != nil:
		return pagerTitle(v.pager)
	}
	first, last := v.grid.Window()
	return fmt.Sprintf("result %s–%s of %s", count(int64(first)), count(int64(last)), v.total())
}

// statsLine is what the statement did.
func (v *resultView) statsLine() string {
	st := v.stats
	text := readWords(&st) + " in " + took(st.Elapsed)
	if st.HotRows > 0 {
		text += fmt.Sprintf(" + %s hot rows", short(float64(st.HotRows)))
	}
	if st.Missing > 0 {
		text += fmt.Sprintf(" · without %s events that are still loading", short(float64(st.Missing)))
	}
	return text + fmt.Sprintf(" · v%d · ≈ %s", st.Version, usd(st.USD))
}

// readWords tells what was read: columns of the files, or the digests that stood in for them. The files' bytes are named in both cases, since they are
// what another engine reads, and what it charges.
func readWords(st *sql.Stats) string {
	files := fmt.Sprintf("%d/%d files %s", st.Files, st.FilesTotal, size(st.Bytes))
	digests := digestWords(st)
	switch {
	case st.Digests == 0:
		return "read " + files
	case st.Digests < st.Files:
		return fmt.Sprintf("read %s, %d by %s,", files, st.Digests, digests)
	case st.DigestBytes > 0:
		return "read " + digests + " for " + files
	}
	return digests + " for " + files
}

// digestWords names the digests that were read.
func digestWords(st *sql.Stats) string {
	if st.DigestBytes == 0 {
		return "digests in memory"
	}
	return "digests of " + size(st.DigestBytes)
}

// row is the row at the cursor; a text has none.
func (v *resultView) row() []any {
	at, _ := v.grid.Cursor()
	if v.pager != nil || at >= len(v.index) {
		return nil
	}
	return v.rows[v.index[at]]
}

// object is a row as JSON with the columns in their order.
func (v *resultView) object(row []any) string {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, col := range v.columns {
		if i > 0 {
			b.WriteString(", ")
		}
		name, _ := json.Marshal(col.Name)
		value, err := json.Marshal(row[i])
		if err != nil { // NaN and infinity have no JSON
			value, _ = json.Marshal(fmt.Sprint(row[i]))
		}
		b.Write(name)
		b.WriteString(": ")
		b.Write(value)
	}
	b.WriteByte('}')
	return b.String()
}

// tabbed is a row as tab-separated text, for spreadsheets.
func (v *resultView) tabbed(row []any) string {
	parts := make([]string, len(row))
	for i, value := range row {
		if value != nil {
			parts[i] = strings.NewReplacer("\t", " ", "\n", " ", "\r", " ").Replace(v.exact(value, i))
		}
	}
	return strings.Join(parts, "\t")
}

func (s *sqlScreen) copies() []copyItem {
	if v := s.result; s.focus != editorPane && v != nil && v.pager != nil {
		return []copyItem{{"t", "the text", v.pager.Text()}, {"s", "the statement", v.text}}
	}
	if s.focus == editorPane || s.result == nil || s.result.row() == nil {
		text := s.editor.Selection()
		label := "the selection"
		if text == "" {
			text, label = s.editor.Value(), "the statement"
		}
		if text == "" {
			return nil
		}
		return []copyItem{{"s", label, text}}
	}
	v := s.result
	row := v.row()
	_, col := v.grid.Cursor()
	return []copyItem{
		{"c", "the cell", v.exact(row[col], col)},
		{"r", "the row, tab-separated", v.tabbed(row)},
		{"j", "the row as JSON", v.object(row)},
		{"s", "the statement", v.text},
	}
}

// openRecord shows the row at hand with every column in full.
func (s *sqlScreen) openRecord() tea.Cmd {
	v := s.result
	if v == nil || v.row() == nil {
		return nil
	}
	r := &reader{dialog: dialog{app: s.app, hints: "← → other rows · y copy · Esc close"}, copy: s.copies, more: []keyLine{{"← → n p", "the row before, the next row"}}}
	title := func() {
		at, _ := v.grid.Cursor()
		r.title = fmt.Sprintf("row %s of %s", count(int64(at+1)), v.total())
	}
	title()
	r.extra = func(k tea.KeyPressMsg) (tea.Cmd, bool) {
		switch k.String() {
		case "left", "h", "p":
			v.grid.Key("up")
		case "right", "l", "n":
			v.grid.Key("down")
		default:
			return nil, false
		}
		title()
		return nil, true
	}
	nameW := 0
	for _, col := range v.columns {
		nameW = max(nameW, cell.Width(col.Name))
	}
	r.lines = func(w int) []readerLine {
		var lines []readerLine
		for i, value := range v.row() {
			text, style := v.exact(value, i), cell.Text
			if value == nil {
				style = cell.Faint
			}
			if pretty := new(bytes.Buffer); strings.HasPrefix(text, "{") && json.Indent(pretty, []byte(text), "", "  ") == nil {
				text = pretty.String()
			}
			lines = append(lines, wrapped(v.columns[i].Name, text, nameW, w, style)...)
		}
		return lines
	}
	s.app.push(r)
	return nil
}
