package tui

import (
	"fmt"
	"strings"

	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/tui/cell"
	"github.com/signallake/signallake/tui/widget"
)

// textOf is the text that a result consists of: a plan, or one value of several lines. Cut into the cells of a grid nobody could read it.
func textOf(r *sql.Result) (text string, ok bool) {
	var parts []string
	switch {
	case len(r.Columns) == 2 && r.Columns[0].Name == "explain_key" && r.Columns[1].Name == "explain_value":
		for _, row := range r.Rows {
			parts = append(parts, fmt.Sprint(row[1]))
		}
	case len(r.Columns) == 1 && len(r.Rows) == 1:
		if value, isText := r.Rows[0][0].(string); isText && strings.Contains(strings.TrimRight(value, "\n"), "\n") {
			parts = append(parts, value)
		}
	}
	return strings.Join(parts, "\n"), len(parts) > 0
}

func (v *resultView) draw(c *cell.Canvas, r cell.Rect, focused bool) {
	if v.pager != nil {
		v.pager.Draw(c, cell.Rect{X: r.X + 1, Y: r.Y, W: r.W - 2, H: r.H})
		return
	}
	v.grid.Draw(c, r, focused)
}

func (v *resultView) key(name string) {
	if v.pager != nil {
		v.pager.Key(name)
		return
	}
	v.grid.Key(name)
}

func (v *resultView) scroll(n int) {
	if v.pager != nil {
		v.pager.Scroll(n)
		return
	}
	v.grid.Scroll(n)
}

// hidden says what lies beside the window; "" when all is in sight.
func (v *resultView) hidden() string {
	if v.pager != nil {
		return v.pager.Hidden()
	}
	return v.grid.Hidden()
}

// click takes a click within the rectangle last drawn.
func (v *resultView) click(dx, dy int) {
	if v.pager == nil && v.grid.Click(dx, dy) {
		v.order()
	}
}

func pagerTitle(p *widget.Pager) string {
	first, last := p.Window()
	return fmt.Sprintf("lines %s–%s of %s", count(int64(first)), count(int64(last)), count(int64(p.Len())))
}
