package sql

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/signallake/signallake/lake"
)

// explainNode is a node of what EXPLAIN (FORMAT JSON) prints.
type explainNode struct {
	Children []explainNode `json:"children"`
	Info     struct {
		Table       string `json:"Table"`
		Projections any    `json:"Projections"` // one text or a list
		Filters     any    `json:"Filters"`
	} `json:"extra_info"`
}

var explainWord = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*`)

// NarrowColumns takes the columns of each scan from EXPLAIN (FORMAT JSON), for statements whose plan with pruned columns DuckDB cannot serialise. A word
// of a filter that is a column's name counts as that column. It fails when the scans are not the same ones.
func NarrowColumns(scans []Scan, explained []byte, table string) ([]Scan, error) {
	var nodes []explainNode
	if err := json.Unmarshal(explained, &nodes); err != nil {
		return nil, fmt.Errorf("read the explained plan: %w", err)
	}
	var found [][]string
	for i := range nodes {
		nodes[i].collect(table, &found)
	}
	if len(found) != len(scans) {
		return nil, fmt.Errorf("explained plan: %d scans of %s, want %d", len(found), table, len(scans))
	}
	narrowed := slices.Clone(scans)
	for i := range narrowed {
		narrowed[i].Columns = found[i]
	}
	return narrowed, nil
}

func (n *explainNode) collect(table string, found *[][]string) {
	if strings.HasSuffix("."+n.Info.Table, "."+table) {
		words := explainWord.FindAllString(fmt.Sprint(n.Info.Projections, " ", n.Info.Filters), -1)
		columns := []string{}
		for _, c := range lake.Columns() {
			if slices.Contains(words, c.Name) {
				columns = append(columns, c.Name)
			}
		}
		*found = append(*found, columns)
	}
	for i := range n.Children {
		n.Children[i].collect(table, found)
	}
}
