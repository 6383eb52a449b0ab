package duck

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/signallake/signallake/lake"
)

// isEventColumn says whether events has a column of that name.
func isEventColumn(name string) bool {
	return slices.ContainsFunc(lake.Columns(), func(c lake.Column) bool { return c.Name == name })
}

// constant is a constant's type and value.
func constant(node any) (kind string, value any, ok bool) {
	c, ok := object(node, "class", "type", "alias", "value")
	if !ok || c["type"] != "VALUE_CONSTANT" {
		return "", nil, false
	}
	v, ok := object(c["value"], "type", "is_null", "value")
	if !ok || v["is_null"] == true {
		return "", nil, false
	}
	kind, ok = field(v["type"], "id").(string)
	return kind, v["value"], ok
}

func constantText(node any) (string, bool) {
	kind, value, ok := constant(node)
	if ok && kind == "VARCHAR" && value == nil { // the serialiser leaves out what is empty
		return "", true
	}
	s, isText := value.(string)
	return s, isText && kind == "VARCHAR"
}

func constantInteger(node any) (int64, bool) {
	kind, value, _ := constant(node)
	n, ok := value.(json.Number)
	if !ok || kind != "INTEGER" && kind != "BIGINT" {
		return 0, false
	}
	v, err := n.Int64()
	return v, err == nil
}

// maxDigits is how many digits behind the point a share may have, so that it is the same double whoever divides.
const maxDigits = 15

// constantQuantile is the share that a quantile asks for, and how DuckDB prints it.
func constantQuantile(node any) (q float64, text string, ok bool) {
	kind, value, found := constant(node)
	n, isNumber := value.(json.Number)
	if !found || !isNumber {
		return 0, "", false
	}
	switch kind {
	case "INTEGER":
		text = n.String()
	case "DECIMAL":
		info, _ := field(field(field(node, "value"), "type"), "type_info").(map[string]any)
		scale, err := strconv.Atoi(fmt.Sprint(info["scale"]))
		digits := n.String()
		if err != nil || scale < 0 || scale > maxDigits || strings.HasPrefix(digits, "-") {
			return 0, "", false
		}
		for len(digits) <= scale {
			digits = "0" + digits
		}
		if text = digits; scale > 0 {
			text = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
		}
	default:
		return 0, "", false
	}
	q, err := strconv.ParseFloat(text, 64)
	return q, text, err == nil && q >= 0 && q <= 1
}

// castTo answers what a node casts to a type.
func castTo(node any, kind string) (any, bool) {
	c, ok := object(node, "class", "type", "alias", "child", "cast_type")
	to, plain := object(c["cast_type"], "id")
	return c["child"], ok && plain && c["type"] == "OPERATOR_CAST" && to["id"] == kind
}

// item reads an expression of the select list or of ORDER BY. Its name is what DuckDB calls it without an alias; "" where that is not known.
func (s *shaper) item(node any) (item, bool) {
	if k, ok := s.key(node); ok {
		s.used[k] = true
		it := item{kind: keyItem, at: int(k), name: k.info().name}
		if field(node, "class") == "FUNCTION" && s.qualified(node) {
			it.name = ""
		}
		return it, true
	}
	if at, name, ok := s.count(node); ok {
		return item{kind: countItem, at: at, name: name}, true
	}
	if it, ok := s.quantile(node); ok {
		return it, true
	}
	return s.ratio(node)
}

// qualified says whether a column below names its table, which then stands in the column's name of the answer.
func (s *shaper) qualified(node any) bool {
	switch node := node.(type) {
	case []any:
		return slices.ContainsFunc(node, s.qualified)
	case map[string]any:
		if len(asList(node["column_names"])) > 1 {
			return true
		}
		for _, value := range node {
			if s.qualified(value) {
				return true
			}
		}
	}
	return false
}

// count reads count(*) and count(latency_ms), with or without FILTER.
func (s *shaper) count(node any) (at int, name string, ok bool) {
	c := countOf{}
	if args, plain := s.call(node, "count_star"); plain && len(args) == 0 {
		name = "count_star()"
	} else if args, plain := s.call(node, "count"); plain && len(args) == 1 && s.isLatency(args[0]) {
		c.latencies, name = true, "count(latency_ms)"
	} else {
		return 0, "", false
	}
	if c.filter, ok = s.filter(node); !ok {
		return 0, "", false
	}
	if c.filter != nil || s.qualified(node) {
		name = ""
	}
	for i := range s.counts {
		if reflect.DeepEqual(s.counts[i], c) {
			return i, name, true
		}
	}
	s.counts = append(s.counts, c)
	return len(s.counts) - 1, name, true
}

func (s *shaper) isLatency(node any) bool {
	name, ok := s.column(node)
	return ok && name == "latency_ms"
}

// filter is the condition of FILTER (WHERE ...), nil without one.
func (s *shaper) filter(node any) (*predicate, bool) {
	f := field(node, "filter")
	if f == nil {
		return nil, true
	}
	p, ok := s.predicate(f)
	if !ok {
		return nil, false
	}
	p.uses(&s.used)
	return &p, true
}

// quantile reads quantile_cont, approx_percentile, which is another name of it here, and median.
func (s *shaper) quantile(node any) (item, bool) {
	args, ok := s.call(node, "quantile_cont", "approx_percentile", "median")
	if !ok || len(args) < 1 || !s.isLatency(args[0]) {
		return item{}, false
	}
	function, _ := field(node, "function_name").(string)
	it := item{kind: quantileItem, name: "median(latency_ms)"}
	share := 0.5
	if function == "median" {
		ok = len(args) == 1
	} else if ok = len(args) == 2; ok {
		var text string
		share, text, ok = constantQuantile(args[1])
		it.name = function + "(latency_ms, " + text + ")"
	}
	filter, known := s.filter(node)
	if !ok || !known || filter != nil && function == "approx_percentile" { // a macro takes no FILTER
		return item{}, false
	}
	if filter != nil || s.qualified(node) {
		it.name = ""
	}
	for it.at = range s.latency {
		if reflect.DeepEqual(s.latency[it.at].filter, filter) {
			it.over = len(s.latency[it.at].quantiles)
			s.latency[it.at].quantiles = append(s.latency[it.at].quantiles, share)
			return it, true
		}
	}
	it.at = len(s.latency)
	s.latency = append(s.latency, latencyOf{filter, []float64{share}})
	return it, true
}

// ratio reads CAST(count AS DOUBLE) / count.
func (s *shaper) ratio(node any) (item, bool) {
	args, ok := s.call(node, "/")
	if !ok || len(args) != 2 {
		return item{}, false
	}
	child, ok := castTo(args[0], "DOUBLE")
	if !ok {
		return item{}, false
	}
	part, _, ok := s.count(child)
	whole, _, ok2 := s.count(args[1])
	return item{kind: ratioItem, at: part, over: whole}, ok && ok2
}

// conditions reads WHERE: conditions on keys, a window of timestamps, and that there is a latency.
func (s *shaper) conditions(node any) bool {
	if node == nil {
		return true
	}
	if c, ok := object(node, "class", "type", "children"); ok && c["type"] == "CONJUNCTION_AND" {
		for _, child := range asList(c["children"]) {
			if !s.conditions(child) {
				return false
			}
		}
		return true
	}
	if o, ok := object(node, "class", "type", "children"); ok && o["type"] == "OPERATOR_IS_NOT_NULL" && len(asList(o["children"])) == 1 && s.isLatency(asList(o["children"])[0]) {
		s.measured = true
		return true
	}
	if s.timestamps(node) || alwaysTrue(node) {
		return true
	}
	p, ok := s.predicate(node)
	if ok {
		p.uses(&s.used)
		s.where = append(s.where, p)
	}
	return ok
}

// alwaysTrue recognises 1 = 1.
func alwaysTrue(node any) bool {
	c, ok := object(node, "class", "type", "left", "right")
	a, ok1 := constantInteger(c["left"])
	b, ok2 := constantInteger(c["right"])
	return ok && ok1 && ok2 && c["type"] == "COMPARE_EQUAL" && a == b
}

// timestamps reads a bound of timestamp.
func (s *shaper) timestamps(node any) bool {
	c, ok := object(node, "class", "type", "left", "right")
	if name, isColumn := s.column(c["left"]); !ok || !isColumn || name != "timestamp" {
		return false
	}
	child, ok := castTo(c["right"], "TIMESTAMP")
	if !ok {
		return false
	}
	text, _ := constantText(child)
	at, ok := parseInstant(text)
	if !ok {
		return false
	}
	switch c["type"] {
	case "COMPARE_GREATERTHANOREQUALTO":
		s.window.from = max(s.window.from, at)
	case "COMPARE_GREATERTHAN":
		s.window.from = max(s.window.from, at+1)
	case "COMPARE_LESSTHAN":
		s.window.to = min(s.window.to, at)
	case "COMPARE_LESSTHANOREQUALTO":
		s.window.to = min(s.window.to, at+1)
	default:
		return false
	}
	return true
}

var comparisons = map[string]string{
	"COMPARE_EQUAL": "=", "COMPARE_NOTEQUAL": "<>", "COMPARE_LESSTHAN": "<", "COMPARE_LESSTHANOREQUALTO": "<=", "COMPARE_GREATERTHAN": ">", "COMPARE_GREATERTHANOREQUALTO": ">=",
}

var mirrored = map[string]string{"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

// predicate reads a condition on keys.
func (s *shaper) predicate(node any) (predicate, bool) {
	n, ok := object(node, "class", "type", "left", "right", "children", "input", "lower", "upper")
	if !ok {
		return predicate{}, false
	}
	kind, _ := n["type"].(string)
	children := asList(n["children"])
	switch kind {
	case "CONJUNCTION_AND", "CONJUNCTION_OR", "OPERATOR_NOT":
		p := predicate{op: kind[strings.IndexByte(kind, '_')+1:]}
		for _, child := range children {
			q, ok := s.predicate(child)
			if !ok {
				return predicate{}, false
			}
			p.of = append(p.of, q)
		}
		return p, len(p.of) > 0 && (p.op != "NOT" || len(p.of) == 1)
	case "OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL":
		if len(children) != 1 {
			return predicate{}, false
		}
		k, ok := s.filterKey(children[0])
		p := predicate{op: "IS NULL", column: k}
		if kind == "OPERATOR_IS_NOT_NULL" {
			p = predicate{op: "NOT", of: []predicate{p}}
		}
		return p, ok
	case "COMPARE_BETWEEN":
		low, ok := s.comparison(">=", n["input"], n["lower"])
		high, ok2 := s.comparison("<=", n["input"], n["upper"])
		return predicate{op: "AND", of: []predicate{low, high}}, ok && ok2
	case "COMPARE_IN", "COMPARE_NOT_IN":
		return s.in(kind, children)
	}
	if op := comparisons[kind]; op != "" {
		if p, ok := s.comparison(op, n["left"], n["right"]); ok {
			return p, true
		}
		return s.comparison(mirrored[op], n["right"], n["left"])
	}
	return predicate{}, false
}

func (s *shaper) in(kind string, children []any) (predicate, bool) {
	if len(children) < 2 {
		return predicate{}, false
	}
	k, ok := s.filterKey(children[0])
	if !ok {
		return predicate{}, false
	}
	p := predicate{op: "IN", column: k}
	for _, child := range children[1:] {
		v, ok := keyConstant(k, child)
		if !ok {
			return predicate{}, false
		}
		p.values = append(p.values, v)
	}
	if kind == "COMPARE_NOT_IN" {
		p = predicate{op: "NOT", of: []predicate{p}}
	}
	return p, true
}

// filterKey is a key that conditions may be about. Hours are left to windows of timestamps.
func (s *shaper) filterKey(node any) (keyColumn, bool) {
	k, ok := s.key(node)
	return k, ok && k != keyHour
}

func (s *shaper) comparison(op string, column, value any) (predicate, bool) {
	k, ok := s.filterKey(column)
	if !ok {
		return predicate{}, false
	}
	v, ok := keyConstant(k, value)
	return predicate{op: op, column: k, values: []keyValue{v}}, ok
}

// keyConstant reads a constant of the key's own type; DuckDB would cast others, in ways of its own.
func keyConstant(k keyColumn, node any) (keyValue, bool) {
	switch k {
	case keyStatus:
		n, ok := constantInteger(node)
		return keyValue{n: n}, ok
	case keyDate:
		if child, ok := castTo(node, "DATE"); ok {
			node = child
		}
		text, _ := constantText(node)
		d, ok := parseDay(text)
		return keyValue{n: int64(d)}, ok
	}
	text, ok := constantText(node)
	return keyValue{text: text}, ok
}
