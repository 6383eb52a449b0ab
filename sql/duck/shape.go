package duck

import (
	"slices"
	"strings"
)

// shape is a statement that digests can answer: one SELECT over events that counts, or asks for quantiles of the latency, by keys under conditions
// on keys. What recognise does not know to the last detail is no shape: DuckDB answers it, at its own speed.
type shape struct {
	where    []predicate // all must hold
	window   timeRange
	measured bool // only events that have a latency
	grouped  bool // false: one row over everything
	groups   []keyColumn
	items    []item // what is selected, then what is only ordered by
	columns  int    // of items that are selected
	counts   []countOf
	latency  []latencyOf
	order    []ordering
	limit    int64 // -1: none
	offset   int64

	detail keyColumn // keyEndpoint, keyRegion or keyHour when it plays a part; else keyColumns
	reads  []string  // columns of events that the statement names, but for partition keys
}

// item is one column of the answer.
type item struct {
	kind     itemKind
	name     string
	at, over int
}

type itemKind int8

const (
	keyItem      itemKind = iota // the key at
	countItem                    // at of shape.counts
	quantileItem                 // of at of shape.latency the quantile over
	ratioItem                    // at of shape.counts as DOUBLE by over of shape.counts
)

// countOf is a count of events, or of latencies, under a condition (none: of all).
type countOf struct {
	latencies bool
	filter    *predicate
}

// latencyOf is the latencies of a group under a condition; quantiles of the same ones share it.
type latencyOf struct {
	filter    *predicate
	quantiles []float64
}

type ordering struct {
	item       int
	descending bool
	nullsFirst bool
}

// shaper reads a statement's tree. The first thing that it does not know ends it: every method answers false then.
type shaper struct {
	shape
	table   string // what the table is called in the statement
	used    [keyColumns]bool
	aliases map[string]int // in lower case, of items
}

// recognise answers the shape of a statement's tree, or nil.
func recognise(root any) *shape {
	statement, ok := object(root, "node", "named_param_map")
	if !ok || statement["named_param_map"] != nil {
		return nil
	}
	node, ok := object(statement["node"], "type", "modifiers", "select_list", "from_table", "where_clause", "group_expressions", "group_sets", "aggregate_handling")
	if !ok || node["type"] != "SELECT_NODE" {
		return nil
	}
	s := shaper{aliases: map[string]int{}}
	s.window, s.limit, s.detail = timeRange{minMicros, maxMicros}, -1, keyColumns
	ok = s.from(node["from_table"]) && s.conditions(node["where_clause"]) && s.selectList(node["select_list"]) &&
		s.groupBy(node) && s.modifiers(node["modifiers"]) && s.sound()
	if !ok {
		return nil
	}
	return &s.shape
}

// object is a node of the tree whose every key is one of those named (or one that tells nothing of meaning).
func object(node any, keys ...string) (map[string]any, bool) {
	m, ok := node.(map[string]any)
	if !ok {
		return nil, false
	}
	for key := range m {
		if !slices.Contains(keys, key) && key != "query_location" {
			return nil, false
		}
	}
	return m, true
}

func (s *shaper) from(node any) bool {
	t, ok := object(node, "type", "alias", "schema_name", "table_name")
	name, _ := t["table_name"].(string)
	schema, _ := t["schema_name"].(string)
	alias, _ := t["alias"].(string)
	if !ok || t["type"] != "BASE_TABLE" || !strings.EqualFold(name, "events") || schema != "" && !strings.EqualFold(schema, "main") {
		return false
	}
	if s.table = name; alias != "" {
		s.table = alias
	}
	return true
}

// column is the column of events that a node names.
func (s *shaper) column(node any) (string, bool) {
	ref, ok := object(node, "class", "type", "alias", "column_names")
	names, _ := ref["column_names"].([]any)
	if !ok || ref["type"] != "COLUMN_REF" || len(names) < 1 || len(names) > 2 {
		return "", false
	}
	last, _ := names[len(names)-1].(string)
	first, _ := names[0].(string)
	return strings.ToLower(last), len(names) == 1 || strings.EqualFold(first, s.table)
}

// key is the key that a node is.
func (s *shaper) key(node any) (keyColumn, bool) {
	if field(node, "class") == "FUNCTION" {
		if args, ok := s.call(node, "date_trunc"); ok && len(args) == 2 {
			unit, isText := constantText(args[0])
			name, _ := s.column(args[1])
			return keyHour, isText && unit == "hour" && name == "timestamp"
		}
		return 0, false
	}
	name, ok := s.column(node)
	if !ok {
		return 0, false
	}
	for k := range keyHour {
		if k.info().name == name {
			return k, true
		}
	}
	return 0, false
}

// call answers the arguments of a plain call of the function.
func (s *shaper) call(node any, names ...string) ([]any, bool) {
	f, ok := object(node, "class", "type", "alias", "function_name", "children", "order_bys", "filter", "is_operator")
	name, _ := f["function_name"].(string)
	if !ok || f["class"] != "FUNCTION" || !slices.Contains(names, name) || !noOrder(f["order_bys"]) {
		return nil, false
	}
	args, _ := f["children"].([]any)
	return args, true
}

// noOrder says whether an aggregate has no ORDER BY of its own.
func noOrder(node any) bool {
	if node == nil {
		return true
	}
	_, ok := object(node, "type")
	return ok
}

func (s *shaper) selectList(node any) bool {
	list, _ := node.([]any)
	for _, n := range list {
		it, ok := s.item(n)
		if !ok {
			return false
		}
		if alias, _ := field(n, "alias").(string); alias != "" {
			it.name = alias
		} else if it.name == "" {
			return false
		}
		name := strings.ToLower(it.name)
		if _, twice := s.aliases[name]; twice { // DuckDB gives the second one another name
			return false
		}
		s.aliases[name] = len(s.items)
		s.items = append(s.items, it)
	}
	s.columns = len(s.items)
	return s.columns > 0
}

// groupBy reads GROUP BY: columns, places in the select list, names that it gives, or ALL.
func (s *shaper) groupBy(node map[string]any) bool {
	list, _ := node["group_expressions"].([]any)
	switch node["aggregate_handling"] {
	case "STANDARD_HANDLING":
	case "FORCE_AGGREGATES":
		if len(list) > 0 {
			return false
		}
		for _, it := range s.items {
			if it.kind == keyItem {
				s.groups = append(s.groups, keyColumn(it.at))
			}
		}
		s.grouped = len(s.groups) > 0
		return true
	default:
		return false
	}
	s.grouped = len(list) > 0
	if sets, _ := node["group_sets"].([]any); s.grouped && (len(sets) != 1 || len(asList(sets[0])) != len(list)) {
		return false
	}
	for _, n := range list {
		k, ok := s.key(n)
		if !ok {
			i, found := s.place(n)
			if !found || s.items[i].kind != keyItem {
				return false
			}
			k = keyColumn(s.items[i].at)
		}
		s.groups = append(s.groups, k)
	}
	return true
}

func asList(node any) []any {
	list, _ := node.([]any)
	return list
}

// place is the selected item that a number, or a name that the statement gives, stands for.
func (s *shaper) place(node any) (int, bool) {
	if n, ok := constantInteger(node); ok {
		return int(n - 1), n >= 1 && n <= int64(s.columns)
	}
	ref, ok := object(node, "class", "type", "column_names")
	names := asList(ref["column_names"])
	if !ok || ref["type"] != "COLUMN_REF" || len(names) != 1 {
		return 0, false
	}
	name, _ := names[0].(string)
	i, ok := s.aliases[strings.ToLower(name)]
	return i, ok
}

func (s *shaper) modifiers(node any) bool {
	for _, n := range asList(node) {
		m, ok := object(n, "type", "orders", "limit", "offset")
		if !ok {
			return false
		}
		switch m["type"] {
		case "ORDER_MODIFIER":
			for _, o := range asList(m["orders"]) {
				if !s.orderBy(o) {
					return false
				}
			}
		case "LIMIT_MODIFIER":
			var fits bool
			if m["limit"] != nil {
				if s.limit, fits = constantInteger(m["limit"]); !fits || s.limit < 1 { // LIMIT 0 reads nothing at all
					return false
				}
			}
			if m["offset"] != nil {
				if s.offset, fits = constantInteger(m["offset"]); !fits || s.offset < 0 {
					return false
				}
			}
		default:
			return false
		}
	}
	return true
}

func (s *shaper) orderBy(node any) bool {
	o, ok := object(node, "type", "null_order", "expression")
	if !ok {
		return false
	}
	var by ordering
	switch o["type"] {
	case "DESCENDING":
		by.descending = true
	case "ASCENDING", "ORDER_DEFAULT":
	default:
		return false
	}
	switch o["null_order"] { // the sandbox holds the default to NULLS LAST
	case "NULLS FIRST", "NULLS_FIRST":
		by.nullsFirst = true
	case "NULLS LAST", "NULLS_LAST", "ORDER_DEFAULT":
	default:
		return false
	}
	if star, ok := object(o["expression"], "class", "type", "columns"); ok && star["type"] == "STAR" && star["columns"] == true { // ORDER BY ALL
		for i := range s.columns {
			by.item = i
			s.order = append(s.order, by)
		}
		return true
	}
	if by.item, ok = s.place(o["expression"]); !ok {
		it, known := s.item(o["expression"])
		if !known {
			return false
		}
		by.item = len(s.items)
		s.items = append(s.items, it)
	}
	s.order = append(s.order, by)
	return true
}

// sound says whether all parts fit together: selected keys are grouped by, and digests know the keys in question beside each other.
func (s *shaper) sound() bool {
	for i, it := range s.items {
		if it.kind == keyItem && !slices.Contains(s.groups, keyColumn(it.at)) || i < s.columns && !s.honest(it) {
			return false
		}
	}
	for _, g := range s.groups {
		s.used[g] = true
	}
	latencies := s.measured || len(s.latency) > 0 || slices.ContainsFunc(s.counts, func(c countOf) bool { return c.latencies })
	for _, k := range []keyColumn{keyEndpoint, keyRegion, keyHour} {
		if !s.used[k] {
			continue
		}
		if s.detail != keyColumns || latencies && k != keyEndpoint {
			return false
		}
		s.detail = k
		s.reads = append(s.reads, k.info().column)
	}
	if latencies {
		s.reads = append(s.reads, "latency_ms")
	}
	if s.window != (timeRange{minMicros, maxMicros}) && s.detail != keyHour {
		s.reads = append(s.reads, "timestamp")
	}
	return true
}

// honest says whether an item is not called like a column of events that it is not: then names in the statement have two meanings.
func (s *shaper) honest(it item) bool {
	name := strings.ToLower(it.name)
	if it.kind == keyItem && keyColumn(it.at).info().name == name {
		return true
	}
	return !isEventColumn(name)
}
