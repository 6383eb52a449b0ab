package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

// writerFor finds the writer of an output format. Text of the lake never moves a terminal: table always shows it made safe, json escapes
// it, and csv is byte for byte what was stored unless it goes to a terminal.
func writerFor(format string, out io.Writer) (func(io.Writer, *sql.Result) error, error) {
	switch format {
	case "table":
		return writeTable, nil
	case "json":
		return writeJSONLines, nil
	case "csv":
		if isTerminal(out) {
			return func(w io.Writer, r *sql.Result) error {
				return writeCSV(w, r, func(s string) string { return lake.SafeText(s, 0) })
			}, nil
		}
		return func(w io.Writer, r *sql.Result) error { return writeCSV(w, r, func(s string) string { return s }) }, nil
	}
	return nil, usagef("--format %q: want table, json or csv", format)
}

// writeTable writes aligned columns for people. Text of the lake is made safe for a terminal.
func writeTable(w io.Writer, r *sql.Result) error {
	if len(r.Columns) == 2 && r.Columns[0].Name == "explain_key" && r.Columns[1].Name == "explain_value" {
		return writePlan(w, r)
	}
	const maxCell = 60 // a longer text would push the other columns off the screen; json and csv have it whole
	return writeTableOf(w, r, maxCell)
}

// writePlan writes the drawing that EXPLAIN answers with, which a cell of a table would cut.
func writePlan(w io.Writer, r *sql.Result) error {
	var b strings.Builder
	for _, row := range r.Rows {
		for line := range strings.SplitSeq(strings.TrimRight(fmt.Sprint(row[1]), "\n"), "\n") {
			b.WriteString(lake.SafeText(line, 0) + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeTableOf is writeTable with cells of up to so many characters.
func writeTableOf(w io.Writer, r *sql.Result, maxCell int) error {
	rows := [][]string{make([]string, len(r.Columns))}
	widths := make([]int, len(r.Columns))
	for i, c := range r.Columns {
		rows[0][i] = lake.SafeText(c.Name, maxCell)
	}
	for _, values := range r.Rows {
		row := make([]string, len(values))
		for i, v := range values {
			row[i] = lake.SafeText(cellText(v, r.Columns[i].Type, "-"), maxCell)
		}
		rows = append(rows, row)
	}
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], ansi.StringWidth(cell))
		}
	}
	var b strings.Builder
	for n, row := range rows {
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-ansi.StringWidth(cell))
			if n > 0 && isNumber(r.Rows[n-1][i]) {
				cell, pad = pad+cell, ""
			}
			b.WriteString(cell)
			if i < len(row)-1 {
				b.WriteString(pad + "  ")
			}
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func isNumber(v any) bool {
	switch v.(type) {
	case int64, float64:
		return true
	}
	return false
}

// cellText is a value of a column of this type as text; null stands for NULL.
func cellText(v any, columnType, null string) string {
	switch v := v.(type) {
	case nil:
		return null
	case string:
		return v
	case time.Time:
		return timeText(v, columnType)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}

// timeText is RFC 3339 in UTC; of a DATE column the date.
func timeText(t time.Time, columnType string) string {
	if columnType == "DATE" {
		return t.UTC().Format(time.DateOnly)
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// writeCSV writes RFC 4180 with a header line; NULL is an empty field.
func writeCSV(w io.Writer, r *sql.Result, show func(string) string) error {
	out := csv.NewWriter(w)
	record := make([]string, len(r.Columns))
	for i, c := range r.Columns {
		record[i] = show(c.Name)
	}
	errs := []error{out.Write(record)}
	for _, values := range r.Rows {
		for i, v := range values {
			record[i] = show(cellText(v, r.Columns[i].Type, ""))
		}
		errs = append(errs, out.Write(record))
	}
	out.Flush()
	return errors.Join(append(errs, out.Error())...)
}

// writeJSONLines writes one object a row, keys in column order. Numbers that JSON lacks (NaN, Inf) become null.
func writeJSONLines(w io.Writer, r *sql.Result) error {
	var b strings.Builder
	for _, values := range r.Rows {
		b.WriteByte('{')
		for i, v := range values {
			if i > 0 {
				b.WriteByte(',')
			}
			key, _ := json.Marshal(r.Columns[i].Name)
			value, err := jsonValue(v, r.Columns[i].Type)
			if err != nil {
				return fmt.Errorf("column %s: %w", r.Columns[i].Name, err)
			}
			b.Write(key)
			b.WriteByte(':')
			b.Write(value)
		}
		b.WriteString("}\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func jsonValue(v any, columnType string) ([]byte, error) {
	switch x := v.(type) {
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return []byte("null"), nil
		}
	case time.Time:
		v = timeText(x, columnType)
	}
	return json.Marshal(v)
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// joinWords lists names for a sentence: a, b and c.
func joinWords(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
