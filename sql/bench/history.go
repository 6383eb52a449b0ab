package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// Keep is how many reports a history holds: with 168 samples a rung that is a few MB.
const Keep = 200

// Decode reads a history, one report a line, oldest first as the file has it, and returns it newest first. Lines that are damaged, or written by a
// newer release, are passed over.
func Decode(lines []byte) []Report {
	var reports []Report
	for line := range bytes.Lines(lines) {
		var r Report
		if err := json.Unmarshal(line, &r); err == nil && r.Format == Format {
			reports = append(reports, r)
		}
	}
	slices.Reverse(reports)
	return reports
}

// Append adds a report to a history's lines, and drops the oldest ones over Keep. Lines that it does not understand stay as they are.
func Append(lines []byte, r *Report) ([]byte, error) {
	line, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("write a report: %w", err)
	}
	var all [][]byte
	for old := range bytes.Lines(lines) {
		if old = bytes.TrimSpace(old); len(old) > 0 {
			all = append(all, old)
		}
	}
	all = append(all, line)
	all = all[max(0, len(all)-Keep):]
	return append(bytes.Join(all, []byte("\n")), '\n'), nil
}
