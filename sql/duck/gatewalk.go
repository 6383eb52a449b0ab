package duck

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/signallake/signallake/sql"
)

// walker goes over a statement's tree. Objects with a "class" are expressions, others with a "type" are query nodes, table references and
// modifiers; a kind that is not listed is refused, so that a new release of DuckDB cannot bring one that nobody looked at.
type walker struct {
	functions map[string]bool
	ctes      map[string]bool // names that WITH gives, anywhere in the statement
	relations map[string]bool
	viewOnly  bool // events is named in a way that finds only what stands in the catalog
}

var expressionClasses = []string{
	"BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "DEFAULT", "FUNCTION", "LAMBDA", "LAMBDA_REF",
	"OPERATOR", "POSITIONAL_REFERENCE", "STAR", "SUBQUERY", "TYPE", "WINDOW",
}

var nodeTypes = []string{
	"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE", // queries
	"EMPTY", "EMPTY_FROM", "SUBQUERY", "JOIN", "EXPRESSION_LIST", "PIVOT", // table references; the others have their own rules
	"ORDER_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "DISTINCT_MODIFIER", "ORDER_DEFAULT", "ASCENDING", "DESCENDING",
}

// tableFunctions make rows from their arguments alone.
var tableFunctions = []string{"range", "generate_series", "unnest", "repeat", "json_each", "json_tree"}

// cteName is what a CTE may be called. A name with a dot or a slash would be opened as a file where the CTE is out of scope; reserved names would
// show the engine's inside there.
var (
	cteName       = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	reservedNames = regexp.MustCompile(`(?i)^(hot_|signallake_|duckdb_|pg_|sqlite_|pragma_|information_schema|system|temp$)`)
)

func (w *walker) walk(node any) error {
	switch node := node.(type) {
	case []any:
		for _, item := range node {
			if err := w.walk(item); err != nil {
				return err
			}
		}
	case map[string]any:
		if err := w.object(node); err != nil {
			return err
		}
		for _, value := range node {
			if err := w.walk(value); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *walker) object(node map[string]any) error {
	if class, ok := node["class"].(string); ok {
		return w.expression(class, node)
	}
	kind, ok := node["type"].(string)
	if !ok {
		return nil
	}
	switch kind {
	case "BASE_TABLE":
		return w.table(node)
	case "TABLE_FUNCTION":
		return w.tableFunction(node)
	case "SHOW_REF":
		return w.show(node)
	}
	if slices.Contains(nodeTypes, kind) || strings.HasSuffix(kind, "_TYPE_INFO") {
		return nil
	}
	return &sql.RefusedError{What: "the construct " + strings.ToLower(kind), Hint: hintSelect}
}

func (w *walker) expression(class string, node map[string]any) error {
	switch {
	case class == "PARAMETER":
		return &sql.RefusedError{What: "a parameter ($1 or ?)", Hint: "write the value itself"}
	case !slices.Contains(expressionClasses, class):
		return &sql.RefusedError{What: "the expression " + strings.ToLower(class), Hint: hintSelect}
	case class == "FUNCTION" || class == "WINDOW":
		return w.function(node)
	}
	return nil
}

func (w *walker) function(node map[string]any) error {
	name, _ := node["function_name"].(string)
	schema, _ := node["schema"].(string)
	catalog, _ := node["catalog"].(string)
	if schema != "" && schema != "main" && schema != "pg_catalog" || catalog != "" && catalog != "system" {
		return &sql.RefusedError{What: "a function of another schema (" + schema + "." + name + ")", Hint: "call it by its plain name"}
	}
	if !w.functions[strings.ToLower(name)] {
		return &sql.RefusedError{What: "the function " + name, Hint: "only functions that compute on their arguments can be called"}
	}
	if first, ok := growers[strings.ToLower(name)]; ok {
		return checkGrowth(name, first, node["children"])
	}
	return nil
}

// growers make a value as large as a number says, in one step that cannot be interrupted and that the memory limit does not see. The number
// says which of the arguments are sizes: it and those behind it.
var growers = map[string]int{"repeat": 1, "lpad": 1, "rpad": 1, "list_resize": 1, "array_resize": 1, "range": 0, "generate_series": 0, "bar": 1}

// maxGrowth is the largest size that a statement may write: two of them inside each other still fit in memory.
const maxGrowth = 10_000

// checkGrowth lets sizes be small constants, or anything that is no integer: instants, texts, intervals.
func checkGrowth(name string, first int, children any) error {
	list, _ := children.([]any)
	for i, child := range list {
		if i < first {
			continue
		}
		refusal := &sql.RefusedError{What: "the function " + name + " with a size that is computed or above 10,000", Hint: "write a smaller number, or FROM range(...), which makes rows one by one"}
		switch field(child, "class") {
		case "CONSTANT":
			if size, err := strconv.ParseFloat(fmt.Sprint(field(field(child, "value"), "value")), 64); err == nil && (size > maxGrowth || size < -maxGrowth) {
				return refusal
			}
		case "FUNCTION", "OPERATOR", "CAST", "SUBQUERY", "CASE":
			if !isTemporal(child) {
				return refusal
			}
		}
	}
	return nil
}

// isTemporal recognises DATE '...', TIMESTAMP '...' and INTERVAL ..., the usual ends and steps of a range of times.
func isTemporal(node any) bool {
	if id, _ := field(field(node, "cast_type"), "id").(string); strings.HasPrefix(id, "TIMESTAMP") || id == "DATE" || id == "INTERVAL" {
		return true
	}
	name, _ := field(node, "function_name").(string)
	return strings.HasPrefix(name, "to_") || name == "-" && isNegative(node)
}

// isNegative recognises a minus before a constant.
func isNegative(node any) bool {
	children, _ := field(node, "children").([]any)
	return len(children) == 1 && field(children[0], "class") == "CONSTANT"
}

// tableFunction checks the call behind FROM and leaves its arguments to the walk.
func (w *walker) tableFunction(node map[string]any) error {
	call, _ := node["function"].(map[string]any)
	name, _ := call["function_name"].(string)
	schema, _ := call["schema"].(string)
	catalog, _ := call["catalog"].(string)
	if slices.Contains(tableFunctions, strings.ToLower(name)) && (schema == "" || schema == "main") && catalog == "" {
		// The call is an expression too and will be looked at as one: json_each is no scalar function.
		if call["class"] == "FUNCTION" {
			call["class"] = "OPERATOR"
		}
		return nil
	}
	return &sql.RefusedError{What: "the table function " + name, Hint: "files and settings cannot be read; events, minutes, hours, range(), generate_series() and unnest() can"}
}

func (w *walker) table(node map[string]any) error {
	name, _ := node["table_name"].(string)
	schema, _ := node["schema_name"].(string)
	catalog, _ := node["catalog_name"].(string)
	if node["at_clause"] != nil {
		return &sql.RefusedError{What: "AT (VERSION or TIMESTAMP)", Hint: "a statement sees the newest version of the lake"}
	}
	lower := strings.ToLower(name)
	if slices.Contains(relations[:], lower) && (schema == "" || strings.EqualFold(schema, "main")) && catalog == "" {
		w.relations[lower] = true
		w.viewOnly = w.viewOnly || schema != ""
		return nil
	}
	if w.ctes[lower] && (schema == "" || schema == "recurring") && catalog == "" {
		return nil
	}
	if schema != "" {
		name = schema + "." + name
	}
	hint := "there are " + strings.Join(relations[:], ", ") + " and what WITH names"
	if strings.ContainsAny(name, "./\\") {
		hint = "files cannot be opened by name; " + hint
	}
	return &sql.RefusedError{What: "reading " + name, Hint: hint}
}

func (w *walker) show(node map[string]any) error {
	kind, _ := node["show_type"].(string)
	if node["query"] != nil && (kind == "SUMMARY" || kind == "DESCRIBE") {
		w.viewOnly = true
		return nil
	}
	return &sql.RefusedError{What: "SHOW of the engine's inside", Hint: "SHOW TABLES, DESCRIBE events and SUMMARIZE events work"}
}

// isShowTables recognises SHOW TABLES, SHOW ALL TABLES and DESCRIBE without a name as the whole statement.
func (w *walker) isShowTables(root any) bool {
	node := field(field(root, "node"), "from_table")
	name, _ := field(node, "table_name").(string)
	return field(node, "type") == "SHOW_REF" && field(node, "query") == nil &&
		(name == `"tables"` || name == "__show_tables_expanded" || name == "")
}

func field(node any, name string) any {
	object, _ := node.(map[string]any)
	return object[name]
}

// collectCTEs gathers the names that WITH gives. They count in the whole statement: a name that is out of scope somewhere fails there, since it is
// neither a file's name nor one of the engine's.
func (w *walker) collectCTEs(node any) error {
	switch node := node.(type) {
	case []any:
		for _, item := range node {
			if err := w.collectCTEs(item); err != nil {
				return err
			}
		}
	case map[string]any:
		entries, _ := field(node["cte_map"], "map").([]any)
		for _, entry := range entries {
			name, _ := field(entry, "key").(string)
			if !cteName.MatchString(name) || reservedNames.MatchString(name) {
				return &sql.RefusedError{What: "the name " + name + " in WITH", Hint: "use letters, digits and _, and no name of the engine's own"}
			}
			w.ctes[strings.ToLower(name)] = true
		}
		for _, value := range node {
			if err := w.collectCTEs(value); err != nil {
				return err
			}
		}
	}
	return nil
}
