package widget

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/tui/cell"
)

// Field is one line of a Form: free text with a check, or a choice.
type Field struct {
	Name    string // the label
	Hint    string // what it means, its default and its limits
	Value   string
	Choices []string                 // not empty: one of these, by arrows
	Wide    bool                     // as wide as there is room, for paths
	Check   func(value string) error // nil: anything goes
}

// Form asks for a few values that all have defaults. Enter submits from any field once every check passes.
type Form struct {
	fields []formField
	at     int
	step   int       // rows a field, when last drawn
	drawn  cell.Rect // the field at hand, when last drawn
}

type formField struct {
	Field
	input Input
	err   error
}

// NewForm is a form of fields, with the cursor in the first.
func NewForm(fields []Field) *Form {
	f := &Form{}
	for _, field := range fields {
		ff := formField{Field: field}
		ff.input.Set(field.Value)
		f.fields = append(f.fields, ff)
	}
	return f
}

// Value is the text of the named field.
func (f *Form) Value(name string) string {
	for _, field := range f.fields {
		if field.Name == name {
			return field.input.Value()
		}
	}
	return ""
}

// Set replaces the text of the named field.
func (f *Form) Set(name, text string) {
	for i := range f.fields {
		if field := &f.fields[i]; field.Name == name {
			field.input.Set(text)
			field.err = nil
		}
	}
}

// Focus goes to the named field.
func (f *Form) Focus(name string) {
	if i := slices.IndexFunc(f.fields, func(field formField) bool { return field.Name == name }); i >= 0 {
		f.at = i
	}
}

// At is the name of the field at hand, its text, and where it was last drawn; the text of a choice is nil.
func (f *Form) At() (name string, text *Input, drawn cell.Rect) {
	field := &f.fields[f.at]
	if len(field.Choices) > 0 {
		return field.Name, nil, f.drawn
	}
	return field.Name, &field.input, f.drawn
}

// Len is how many fields there are.
func (f *Form) Len() int { return len(f.fields) }

// Check checks every field, goes to the first that is wrong and tells whether all are right.
func (f *Form) Check() bool {
	bad := -1
	for i := range f.fields {
		field := &f.fields[i]
		field.err = nil
		if field.Field.Check != nil {
			field.err = field.Field.Check(field.input.Value())
		}
		if field.err != nil && bad < 0 {
			bad = i
		}
	}
	if bad >= 0 {
		f.at = bad
	}
	return bad < 0
}

// Key takes a key and tells whether it was one for the form; Enter and Esc are the caller's.
func (f *Form) Key(k tea.KeyPressMsg) bool {
	field := &f.fields[f.at]
	switch name := k.String(); name {
	case "tab", "down":
		f.at = (f.at + 1) % len(f.fields)
	case "shift+tab", "up":
		f.at = (f.at + len(f.fields) - 1) % len(f.fields)
	case "left", "right", "space":
		if len(field.Choices) == 0 {
			return f.edit(field, k)
		}
		step := 1
		if name == "left" {
			step = len(field.Choices) - 1
		}
		field.input.Set(field.Choices[(slices.Index(field.Choices, field.input.Value())+step)%len(field.Choices)])
	default:
		if len(field.Choices) > 0 {
			return false
		}
		return f.edit(field, k)
	}
	return true
}

func (f *Form) edit(field *formField, k tea.KeyPressMsg) bool {
	done := field.input.Key(k)
	if done && field.Field.Check != nil {
		field.err = field.Field.Check(field.input.Value())
	}
	return done
}

// Paste puts text into the field at hand.
func (f *Form) Paste(s string) {
	if field := &f.fields[f.at]; len(field.Choices) == 0 {
		field.input.Paste(s)
	}
}

// Click goes to the field in row dy of the rectangle last drawn.
func (f *Form) Click(dy int) {
	if i := dy / max(1, f.step); i >= 0 && i < len(f.fields) {
		f.at = i
	}
}

// Draw draws the form and returns the cursor's cell: two rows a field, the second its hint; where that is too high, one row a field and the
// hint of the field at hand below them.
func (f *Form) Draw(c *cell.Canvas, r cell.Rect) (x, y int) {
	f.step = 2
	if r.H < 2*len(f.fields) {
		f.step = 1
	}
	labelW := 0
	for _, field := range f.fields {
		labelW = max(labelW, cell.Width(field.Name))
	}
	for i := range f.fields {
		field := &f.fields[i]
		fy := r.Y + i*f.step
		below := fy + 1
		if f.step == 1 {
			below = r.Y + len(f.fields)
		}
		if fy >= r.Y+r.H {
			break
		}
		style := cell.Muted
		if i == f.at {
			style = cell.Accent | cell.Bold
			c.Text(r.X, fy, "▸", cell.Accent)
		}
		c.Text(r.X+2, fy, field.Name, style)
		fx := r.X + labelW + 4
		w := r.W - labelW - 5
		end := f.value(c, field, fx, fy, w, i == f.at)
		if i == f.at {
			x, y = end, fy
			f.drawn = cell.Rect{X: fx, Y: fy, W: w, H: 1}
		}
		switch {
		case f.step == 1 && i != f.at || below >= r.Y+r.H:
		case field.err != nil:
			c.TextCut(fx, below, w, "× "+field.err.Error(), cell.Bad)
		default:
			c.TextCut(fx, below, w, field.Hint, cell.Faint)
		}
	}
	return x, y
}

func (f *Form) value(c *cell.Canvas, field *formField, x, y, w int, focused bool) (cursorX int) {
	if len(field.Choices) == 0 {
		fieldW := min(w, 28)
		if field.Wide {
			fieldW = w
		}
		end := field.input.Draw(c, x, y, fieldW, cell.Text)
		look := cell.Resting
		if focused {
			look = cell.Selected
		}
		c.Paint(cell.Rect{X: x, Y: y, W: fieldW, H: 1}, look)
		return end
	}
	at := x
	for _, choice := range field.Choices {
		style, text := cell.Muted, "  "+choice+" "
		if choice == field.input.Value() {
			style, text = cell.Text|cell.Bold, "● "+choice+" "
			if focused {
				style = style.On(cell.Selected)
			}
		}
		at = c.Text(at, y, text, style) + 1
	}
	return -1
}
