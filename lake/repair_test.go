package lake_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestRepairSetsDamageAside goes on without the damaged batch, names it, and never pretends that it was not lost.
func TestRepairSetsDamageAside(t *testing.T) {
	dir := t.TempDir()
	c := openConvertLake(t, dir, nil, nil)
	c.append(t, 100, 1)
	c.append(t, 100, 2)
	if err := c.Seal(); err != nil {
		t.Fatal(err)
	}
	path := c.Layout().SegmentData(1)
	flipBit(t, path)
	if _, err := c.Convert(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "--repair") {
		t.Fatalf("the way out is not told: %v", err)
	}
	aside, err := c.Repair()
	if err != nil || len(aside) != 1 || !strings.Contains(aside[0], filepath.Base(path)) {
		t.Fatalf("set aside %q, %v", aside, err)
	}
	if r, err := c.Convert(t.Context(), nil); err != nil || r.Events == 0 || r.Events == 200 {
		t.Fatalf("converted %d events, %v", r.Events, err)
	}
	report, err := c.Verify(t.Context(), nil)
	if err != nil || report.OK || report.Lost+report.Events.Parquet != 200 {
		t.Errorf("verify: %+v, %v", report, err)
	}
	if more, err := c.Repair(); err != nil || len(more) != 0 {
		t.Errorf("a second repair set aside %q, %v", more, err)
	}
}
