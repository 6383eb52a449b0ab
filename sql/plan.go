package sql

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Scan is one read of `events` in a statement's optimized plan, with the filters that reach it. Several scans of one statement read
// independently of each other.
type Scan struct {
	Columns []string // read from files or hot tables, filters included; in no order
	filters []columnFilter
}

// Filters tells whether a filter on a column reaches the scan.
func (s *Scan) Filters(column string) bool {
	return slices.ContainsFunc(s.filters, func(f columnFilter) bool { return f.column == column })
}

type columnFilter struct {
	column string
	filter planFilter
}

// planFilter and planExpr are the parts of DuckDB's serialized plan (json_serialize_plan) that pruning understands. Field names are DuckDB's.
type planFilter struct {
	Kind       string         `json:"filter_type"`
	Comparison string         `json:"comparison_type"`
	Constant   planConstant   `json:"constant"`
	Children   []planFilter   `json:"child_filters"`
	Child      *planFilter    `json:"child_filter"`
	Values     []planConstant `json:"values"`
	Expr       *planExpr      `json:"expr"`
}

type planConstant struct {
	Type   planType        `json:"type"`
	IsNull bool            `json:"is_null"`
	Value  json.RawMessage `json:"value"`
}

type planType struct {
	ID string `json:"id"`
}

type planExpr struct {
	Type     string       `json:"type"`
	Left     *planExpr    `json:"left"`
	Right    *planExpr    `json:"right"`
	Child    *planExpr    `json:"child"`
	Children []*planExpr  `json:"children"`
	Value    planConstant `json:"value"`
	Return   planType     `json:"return_type"`
}

// planGet is a LOGICAL_GET node.
type planGet struct {
	Names   []string `json:"names"`
	Columns []struct {
		Index uint64 `json:"index"`
	} `json:"column_indexes"`
	Filters struct {
		Filters []struct {
			Key    int        `json:"key"`
			Filter planFilter `json:"value"`
		} `json:"filters"`
	} `json:"table_filters"`
	Data struct {
		Table string `json:"table"`
	} `json:"function_data"`
}

// PlanError is a statement that DuckDB's planner does not understand.
type PlanError struct {
	Kind     string // DuckDB's kind of error, in lower case: "binder", "catalog", "parser", ...
	Message  string
	Position string // in the statement, in bytes; "" when unknown
}

func (e *PlanError) Error() string { return "plan: " + e.Message }

// ParsePlan finds the scans of the table in what json_serialize_plan answered. Every key of every object is visited, so that a node of an
// unknown kind cannot hide a scan. An error means that nothing is known about the statement.
func ParsePlan(plan []byte, table string) ([]Scan, error) {
	var top struct {
		Error    bool            `json:"error"`
		Kind     string          `json:"error_type"`
		Message  string          `json:"error_message"`
		Position string          `json:"position"`
		Plans    json.RawMessage `json:"plans"`
	}
	if err := json.Unmarshal(plan, &top); err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	if top.Error {
		return nil, &PlanError{Kind: strings.ToLower(top.Kind), Message: top.Message, Position: top.Position}
	}
	if len(top.Plans) == 0 {
		return nil, errors.New("plan: the answer holds no plan")
	}
	decoder := json.NewDecoder(bytes.NewReader(top.Plans))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	var scans []Scan
	err := walkPlan(tree, table, &scans)
	return scans, err
}

func walkPlan(node any, table string, scans *[]Scan) error {
	switch node := node.(type) {
	case []any:
		for _, item := range node {
			if err := walkPlan(item, table, scans); err != nil {
				return err
			}
		}
	case map[string]any:
		if node["type"] == "LOGICAL_GET" {
			scan, ok, err := parseGet(node, table)
			if err != nil {
				return err
			}
			if ok {
				*scans = append(*scans, scan)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(node)) { // scans come in the same order each time
			if err := walkPlan(node[key], table, scans); err != nil {
				return err
			}
		}
	}
	return nil
}

func parseGet(node map[string]any, table string) (Scan, bool, error) {
	raw, err := json.Marshal(node)
	if err != nil {
		return Scan{}, false, fmt.Errorf("read a scan of the plan: %w", err)
	}
	var get planGet
	if err := json.Unmarshal(raw, &get); err != nil {
		return Scan{}, false, fmt.Errorf("read a scan of the plan: %w", err)
	}
	if get.Data.Table != table {
		return Scan{}, false, nil
	}
	var scan Scan
	for _, c := range get.Columns {
		if c.Index < uint64(len(get.Names)) { // others are virtual: the row's number, or "no column" of count(*)
			scan.Columns = append(scan.Columns, get.Names[c.Index])
		}
	}
	for _, f := range get.Filters.Filters {
		if f.Key >= 0 && f.Key < len(get.Names) {
			scan.filters = append(scan.filters, columnFilter{get.Names[f.Key], f.Filter})
		}
	}
	return scan, true, nil
}

// integer is the constant as days, microseconds or a number; false when it is none.
func (c planConstant) integer() (int64, bool) {
	n, err := strconv.ParseInt(string(c.Value), 10, 64)
	return n, err == nil
}

func (c planConstant) text() (string, bool) {
	var s string
	err := json.Unmarshal(c.Value, &s)
	return s, err == nil
}
