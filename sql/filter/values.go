package filter

import (
	"math"
	"strconv"
	"strings"
)

// value is one value of a term as it was written.
type value struct {
	text       string
	quoted     bool
	start, end int
}

// list reads values with commas between them.
func (p *parser) list(at int) ([]value, error) {
	p.at = at
	var list []value
	for {
		v := value{start: p.at}
		if p.peek() == '"' {
			s, err := p.quoted()
			if err != nil {
				return nil, err
			}
			v.text, v.quoted = s, true
		} else {
			end := p.bareEnd(p.at, ",")
			v.text = p.text[p.at:end]
			p.at = end
		}
		v.end = p.at
		if v.text == "" && !v.quoted {
			return nil, errorf(v.start, v.start, "a value is missing here")
		}
		list = append(list, v)
		if p.peek() != ',' {
			return list, nil
		}
		p.at++
	}
}

// values reads what stands behind a field's sign.
func (p *parser) values(f *field, sign string, at int) (*term, error) {
	list, err := p.list(at)
	if err != nil {
		return nil, err
	}
	if strings.ContainsAny(sign, "<>") {
		if len(list) > 1 {
			return nil, errorf(list[1].start-1, list[1].end, "a comparison has one value; `:` takes a list")
		}
		n, err := compared(f, sign, list[0])
		return &term{node: n}, err
	}
	t := &term{}
	var options any_
	exact := true
	for _, v := range list {
		n, plain, err := f.equals(v, sign == ":")
		if err != nil {
			return nil, err
		}
		options = append(options, n)
		if exact = exact && plain; exact {
			t.values = append(t.values, f.valueOf(v))
		}
	}
	if exact {
		t.column = f.column
	} else {
		t.values = nil
	}
	if t.node = listNode(options); sign == "!=" {
		t.node, t.negated = not{t.node}, true
	}
	return t, nil
}

// valueOf is a value as normal has it; "" for "none".
func (f *field) valueOf(v value) string {
	if !v.quoted && v.text == absent {
		return ""
	}
	if n, ok := f.parseNumber(v.text); ok && f.kind == integer {
		return n
	}
	return normal(f.column, v.text)
}

// normal is a column's value as values are compared.
func normal(column, value string) string {
	if f := fieldOf(column); f != nil && (f.kind == folded || f.kind == lowered) {
		return strings.ToLower(value)
	}
	return value
}

// equals is the condition that the field has the value; plain tells that it is nothing but an equality. loose lets a part of a message do.
func (f *field) equals(v value, loose bool) (n node, plain bool, err error) {
	if !v.quoted && v.text == absent {
		return not{f.present()}, true, nil
	}
	expression := f.expression()
	if f.kind == integer || f.kind == duration {
		return f.number(v)
	}
	if v.quoted && v.text == "" {
		return not{f.present()}, false, nil // the lake does not tell "" from absent
	}
	if strings.Contains(v.text, "*") && !v.quoted {
		return f.pattern(expression, v.text), false, nil
	}
	switch f.kind {
	case phrase:
		if loose {
			return leaf{"contains(lower(" + expression + "), " + lowerLiteral(v.text) + ")", true}, false, nil
		}
	case folded:
		return equality{"lower(" + expression + ")", lowerLiteral(v.text), f.nullable()}, true, nil
	case lowered:
		return equality{expression, literal(strings.ToLower(v.text)), f.nullable()}, true, nil
	}
	return equality{expression, literal(v.text), f.nullable()}, true, nil
}

// pattern is the condition that the field fits a text with stars; a lone star is "present".
func (f *field) pattern(expression, text string) node {
	if strings.Trim(text, "*") == "" {
		return f.present()
	}
	switch f.kind {
	case folded, phrase:
		expression, text = "lower("+expression+")", strings.ToLower(text)
	case lowered:
		text = strings.ToLower(text)
	}
	if head, ok := strings.CutSuffix(text, "*"); ok && !strings.Contains(head, "*") {
		return leaf{"starts_with(" + expression + ", " + literal(head) + ")", f.nullable()}
	}
	like := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`, `*`, `%`).Replace(text)
	return leaf{expression + " LIKE " + literal(like) + ` ESCAPE '\'`, f.nullable()}
}

// number is the condition that a numeric field is a number, in a range, or in a class.
func (f *field) number(v value) (node, bool, error) {
	if low, high, ok := strings.Cut(v.text, ".."); ok && !v.quoted {
		from, err1 := f.parseNumber(low)
		to, err2 := f.parseNumber(high)
		if !err1 || !err2 {
			return nil, false, f.noNumber(v)
		}
		return leaf{f.column + " BETWEEN " + from + " AND " + to, f.nullable()}, false, nil
	}
	if class := strings.ToLower(v.text); f.column == "status_code" && len(class) == 3 && class[0] >= '1' && class[0] <= '5' && class[1:] == "xx" && !v.quoted {
		return leaf{f.column + " BETWEEN " + class[:1] + "00 AND " + class[:1] + "99", false}, false, nil
	}
	n, ok := f.parseNumber(v.text)
	if !ok {
		return nil, false, f.noNumber(v)
	}
	return equality{f.column, n, f.nullable()}, f.kind == integer, nil
}

// noNumber is the error for a value that is none, with what there is.
func (f *field) noNumber(v value) error {
	examples := "500, 5xx, 500..503 or >=500"
	switch f.column {
	case "latency_ms":
		examples = "250, 250ms, 1.5s, 100ms..1s or >250ms"
	case "seq":
		examples = "1200, 1000..2000 or >1000"
	}
	return errorf(v.start, v.end, "%s is a number, as in %s; got %q", f.name, examples, v.text)
}

// units are those of a latency, in milliseconds; the longer names first.
var units = []struct {
	name string
	ms   float64
}{{"us", 0.001}, {"µs", 0.001}, {"ms", 1}, {"s", 1000}, {"m", 60_000}, {"h", 3_600_000}}

// parseNumber reads a number as SQL writes it.
func (f *field) parseNumber(s string) (string, bool) {
	if f.kind == integer {
		n, err := strconv.ParseInt(s, 10, 64)
		return strconv.FormatInt(n, 10), err == nil
	}
	scale := 1.0
	if f.kind == duration {
		for _, u := range units {
			if head, ok := strings.CutSuffix(strings.ToLower(s), u.name); ok {
				s, scale = head, u.ms
				break
			}
		}
	}
	if s == "" || strings.ContainsAny(s, "xXpP_nN") { // only decimal numbers: no hex, no infinity, no NaN
		return "", false
	}
	n, err := strconv.ParseFloat(s, 64)
	if n *= scale; err != nil || math.IsInf(n, 0) {
		return "", false
	}
	return strconv.FormatFloat(n, 'f', -1, 64), true
}

// compared is a comparison of a number.
func compared(f *field, sign string, v value) (node, error) {
	switch f.kind {
	case integer, duration:
		n, ok := f.parseNumber(v.text)
		if !ok {
			return nil, f.noNumber(v)
		}
		return leaf{f.column + " " + sign + " " + n, f.nullable()}, nil
	case document:
		n, ok := f.parseNumber(v.text)
		if !ok {
			return nil, errorf(v.start, v.end, "attributes are compared as numbers; got %q", v.text)
		}
		return leaf{"TRY_CAST(" + f.expression() + " AS DOUBLE) " + sign + " " + n, true}, nil
	}
	return nil, errorf(v.start, v.end, "%s is a text: it has no %s; use %s:%s", f.name, sign, f.name, v.text)
}

// kindOf reads what stands behind is:.
func (p *parser) kindOf(at int) (*term, error) {
	list, err := p.list(at)
	if err != nil {
		return nil, err
	}
	var options any_
	for _, v := range list {
		condition, ok := kinds[strings.ToLower(v.text)]
		if !ok {
			return nil, errorf(v.start, v.end, "is: takes error, warn or http, not %q", v.text)
		}
		options = append(options, condition)
	}
	return &term{node: listNode(options)}, nil
}

// presence reads the field behind has:.
func (p *parser) presence(at int) (*term, error) {
	p.at = at
	name, end, err := p.name()
	if err != nil {
		return nil, err
	}
	if name == "" {
		return nil, errorf(at, at, "has: takes a field, as in has:trace or has:@user_id")
	}
	f := fieldOf(name)
	if f == nil {
		return nil, unknown(name, name, at)
	}
	if p.at = p.bareEnd(end, ""); p.at != end {
		return nil, errorf(end, p.at, "has: takes a field alone")
	}
	return &term{node: f.present()}, nil
}
