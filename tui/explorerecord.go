package tui

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/sql/filter"
	"github.com/signallake/signallake/tui/cell"
)

// How far around an event the same request is looked for, and what else happened at its time.
const (
	followSpan = 30 * time.Minute
	aroundSpan = minSpan
)

// recordField is one line of a record: a column of events, or an attribute.
type recordField struct {
	name   string
	column string // to filter by; "" when one cannot
	value  string
	absent bool
}

// recordView shows one event with every field. The list's cursor moves with it.
type recordView struct {
	dialog
	page     *explorePage
	ask      question
	row      sql.Row // that was asked for
	record   *sql.Record
	of       sql.Position // that record belongs to
	gone     bool
	err      error
	fields   []recordField
	chosen   int // the field at the cursor
	top      int
	visible  int
	fieldTop []int // first line of each field
}

// openRecord shows the event at the cursor.
func (p *explorePage) openRecord() tea.Cmd {
	if p.list.current() == nil || p.list.old(p.subject()) {
		return nil
	}
	v := &recordView{dialog: dialog{app: p.app}, page: p, ask: question{app: p.app}}
	p.app.push(v)
	return v.load()
}

// load reads the event at the list's cursor; what is shown stays until it is there.
func (v *recordView) load() tea.Cmd {
	row := v.page.list.current()
	if row == nil {
		return nil
	}
	v.row = *row
	engine, wanted := v.app.cfg.Engine, *row
	return ask(&v.ask, func(ctx context.Context) (*sql.Record, error) { return sql.ReadRecord(ctx, engine, &wanted) }, func(r *sql.Record, _ time.Duration, err error) tea.Cmd {
		v.err, v.gone = err, err == nil && r == nil
		if r != nil {
			v.record, v.of = r, wanted.Position
			first := v.fields == nil
			if v.fields = fieldsOf(r); first {
				v.chosen = max(0, slices.IndexFunc(v.fields, func(f recordField) bool { return !f.absent && (f.column == "request_id" || f.column == "trace_id") }))
			}
		}
		return nil
	})
}

// fieldsOf are the columns of events in their order, the attributes one by one in place of their text.
func fieldsOf(r *sql.Record) []recordField {
	var list []recordField
	for i, c := range r.Columns {
		value := r.Values[i]
		if c.Name == "attributes" {
			if text, ok := value.(string); ok {
				list = append(list, attributeFields(text)...)
			}
			continue
		}
		f := recordField{name: c.Name, column: c.Name, absent: value == nil || c.Name == "status_code" && value == int64(0)}
		switch x := value.(type) {
		case nil:
		case time.Time:
			f.value = x.UTC().Format("2006-01-02 15:04:05.000000Z")
			if c.Name == "event_date" {
				f.value = x.Format(time.DateOnly)
			}
		case float64:
			f.value = strconv.FormatFloat(x, 'f', -1, 64)
		default:
			f.value = fmt.Sprint(x)
		}
		list = append(list, f)
	}
	return list
}

// attributeFields unfolds a JSON object: nested keys become dotted ones, lists stay as they are.
func attributeFields(text string) []recordField {
	var list []recordField
	var unfold func(text []byte, path string, plain bool)
	unfold = func(text []byte, path string, plain bool) {
		decoder := json.NewDecoder(bytes.NewReader(text))
		if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
			value := string(text)
			var s string
			if json.Unmarshal(text, &s) == nil && value != "null" {
				value = s
			}
			f := recordField{name: "@" + path, column: "@" + path, value: value, absent: value == "null"}
			if !plain {
				f.column = ""
			}
			list = append(list, f)
			return
		}
		for decoder.More() {
			key, err := decoder.Token()
			var value json.RawMessage
			if err != nil || decoder.Decode(&value) != nil {
				return
			}
			name := fmt.Sprint(key)
			next, simple := name, true
			if path != "" {
				next = path + "." + name
				simple = plain && !strings.ContainsAny(next, " \"'(){}[]|*,:=<>!@/\\~")
			}
			unfold(value, next, simple)
		}
	}
	unfold([]byte(text), "", true)
	return list
}

// field is the one at the cursor; nil while there is none.
func (v *recordView) field() *recordField {
	if v.chosen < 0 || v.chosen >= len(v.fields) || v.of != v.row.Position {
		return nil
	}
	return &v.fields[v.chosen]
}

func (v *recordView) key(k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "esc", "q":
		v.shut()
	case "up", "k":
		v.wheel(-1)
	case "down", "j":
		v.wheel(1)
	case "pgup", "ctrl+u":
		v.wheel(-max(1, v.visible/2))
	case "pgdown", "ctrl+d":
		v.wheel(max(1, v.visible/2))
	case "g", "home":
		v.wheel(-len(v.fields))
	case "G", "end":
		v.wheel(len(v.fields))
	case "left", "h", "p":
		return v.turn(-1)
	case "right", "l", "n", "space":
		return v.turn(1)
	case "enter":
		return v.follow()
	case "f":
		return v.narrow(false)
	case "!", "-":
		return v.narrow(true)
	case "y":
		v.app.pushCopies(v.copies())
	case "s":
		v.shut()
		return v.app.sql.openWith(sql.RecordSQL(&v.row), false)
	}
	return nil
}

func (v *recordView) shut() {
	v.ask.drop()
	v.app.close()
}

func (v *recordView) wheel(n int) {
	v.chosen = max(0, min(v.chosen+n, len(v.fields)-1))
}

// turn goes to the record before or after in the list.
func (v *recordView) turn(n int) tea.Cmd {
	before := v.page.list.cursor
	cmd := v.page.move(n)
	if v.page.list.cursor == before {
		v.app.say(map[bool]string{true: "this is the newest", false: "this is the oldest"}[n < 0])
		return cmd
	}
	return tea.Batch(cmd, v.load())
}

// narrow goes to the events that have the field's value, or to those that have another one.
func (v *recordView) narrow(exclude bool) tea.Cmd {
	f := v.field()
	if f == nil {
		return nil
	}
	p := v.page
	text, value := "", f.value
	if f.absent {
		value = ""
	}
	switch {
	case f.column == "" || slices.Contains([]string{"timestamp", "event_date", "received_at"}, f.column):
		v.app.say(f.name + " is not filtered by; Enter on timestamp shows what else happened then")
		return nil
	case f.column == "latency_ms" && !f.absent && !exclude:
		text = p.query.And("latency>=" + value) // requests like this one: an equal latency tells nothing
	case f.column == "latency_ms" && !f.absent:
		text = p.query.And("!latency>=" + value)
	case exclude:
		text = p.query.Exclude(f.column, value)
	default:
		if asked, _ := p.query.Lists(f.column, value); asked {
			v.app.say("the filter asks for " + filter.Term(f.column, value) + " already")
			return nil
		}
		text = p.query.And(filter.Term(f.column, value))
	}
	v.shut()
	return p.look(text)
}

// follow goes to the same request everywhere, or to everything around the moment; any other field is filtered by.
func (v *recordView) follow() tea.Cmd {
	f := v.field()
	if f == nil {
		return nil
	}
	moment, place := v.row.Timestamp, ""
	switch {
	case f.column == "timestamp":
		v.shut()
		return v.page.enter("", "around "+moment.Time().Format("15:04:05"), centred(moment, aroundSpan), true)
	case f.absent:
	case f.column == "request_id":
		place = "request "
	case f.column == "trace_id":
		place = "trace "
	}
	if place == "" {
		return v.narrow(false)
	}
	v.shut()
	return v.page.enter(filter.Term(f.column, f.value), place+cell.Cut(f.value, 12), centred(moment, followSpan), true)
}

// centred is a range of a length around an instant.
func centred(at lake.Micros, span time.Duration) timeRange {
	return timeRange{Span: span, End: at + lake.Micros(span.Microseconds()/2), Chosen: true}
}

// copies offers the field, the event in three forms, and the statement.
func (v *recordView) copies() []copyItem {
	var items []copyItem
	if f := v.field(); f != nil {
		items = append(items, copyItem{"c", f.name, f.value})
	}
	if v.record != nil && v.of == v.row.Position {
		event := v.record.Event()
		var cells []string
		for _, f := range v.fields {
			cells = append(cells, strings.NewReplacer("\t", " ", "\n", " ", "\r", " ").Replace(f.value))
		}
		items = append(items, copyItem{"j", "the event as JSON", string(bytes.TrimSpace(event.AppendLine(nil)))}, copyItem{"r", "the event, tab-separated", strings.Join(cells, "\t")})
	}
	return append(items, copyItem{"s", "the statement", sql.RecordSQL(&v.row)})
}

func (v *recordView) paste(string) {}

func (v *recordView) draw(c *cell.Canvas, body cell.Rect) {
	v.title = "record " + instant(v.row.Timestamp)
	v.hints = v.hint(body.W)
	w := min(body.W-2, 120)
	lines := v.build(w - 4)
	h := len(lines) + 4
	if v.record == nil {
		h = 8
	}
	r := v.frame(c, body, w, max(h, 8))
	switch {
	case v.err != nil:
		drawWords(c, r, "× "+v.err.Error(), cell.Bad)
		return
	case v.gone:
		drawWords(c, r, "The event is no longer there.", cell.Warn)
		return
	case v.record == nil:
		c.Text(r.X, r.Y, cell.Spinner(v.app.ticks)+" loading", cell.Muted)
		return
	}
	v.visible = r.H - 2
	if v.chosen < len(v.fieldTop) {
		first := v.fieldTop[v.chosen]
		v.top = min(max(v.top, first-v.visible+1), first)
	}
	v.top = max(0, min(v.top, len(lines)-v.visible))
	nameW := v.nameWidth()
	for i := range min(v.visible, len(lines)-v.top) {
		l, y := lines[v.top+i], r.Y+i
		c.Text(r.X, y, cell.Pad(l.name, nameW), cell.Muted)
		c.TextCut(r.X+nameW+2, y, r.W-nameW-2, l.text, l.style)
		if v.chosen < len(v.fieldTop) && v.fieldTop[v.chosen] == v.top+i {
			c.Text(r.X-1, y, "▸", cell.Accent)
			c.Paint(cell.Rect{X: r.X - 1, Y: y, W: r.W + 2, H: 1}, cell.Selected)
		}
	}
	c.TextCut(r.X, r.Y+r.H-1, r.W, v.origin(), cell.Muted)
	if v.of != v.row.Position {
		c.Dim(r)
	}
	v.app.rowZone(cell.Rect{X: r.X, Y: r.Y, W: r.W, H: v.visible}, func(_, dy int) tea.Cmd {
		for i, first := range v.fieldTop {
			if first <= v.top+dy {
				v.chosen = i
			}
		}
		return nil
	})
}

// hint is what the keys do on the field at hand.
func (v *recordView) hint(width int) string {
	enter := "Enter filter"
	if f := v.field(); f != nil && !f.absent {
		switch f.column {
		case "request_id", "trace_id":
			enter = "Enter same " + strings.TrimSuffix(f.column, "_id") + " everywhere"
		case "timestamp":
			enter = "Enter what else happened then"
		}
	}
	if width < 100 {
		return enter + " · f filter · ! exclude · ←→ other · y copy"
	}
	return enter + " · f filter by the field · ! exclude it · ← → other events · y copy · s SQL · Esc close"
}

func (v *recordView) nameWidth() int {
	w := 10
	for _, f := range v.fields {
		w = max(w, cell.Width(f.name))
	}
	return min(w, 32)
}

// build wraps the fields at width w.
func (v *recordView) build(w int) []readerLine {
	var lines []readerLine
	nameW := v.nameWidth()
	v.fieldTop = v.fieldTop[:0]
	for _, f := range v.fields {
		v.fieldTop = append(v.fieldTop, len(lines))
		text, style := f.value, cell.Text
		if f.absent {
			text, style = none, cell.Faint
		}
		if f.name == "status_code" && !f.absent && v.row.Failed() {
			style = cell.Bad | cell.Bold
		}
		lines = append(lines, wrapped(cell.Cut(f.name, nameW), text, nameW, w, style)...)
	}
	return lines
}

// origin tells the partition, and the file or the tail that the event was read from.
func (v *recordView) origin() string {
	e := v.record.Event()
	text := fmt.Sprintf("event_date=%s/service_name=%s/status_code=%d", lake.DateOf(e.Timestamp), e.ServiceName, e.StatusCode)
	if st := v.record.Stats; st.Files > 0 {
		return fmt.Sprintf("read from %s, %s of the partition %s", counted(int64(st.Files), "file"), size(st.Bytes), text)
	}
	return "not converted yet: read from the tail of the log; it will go to " + text
}
