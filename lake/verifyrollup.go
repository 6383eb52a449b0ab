package lake

import (
	"fmt"
	"os"

	"github.com/signallake/signallake/lake/rollup"
)

// rollups reads every rollup file: its bytes, and that together they count exactly the events that were converted.
func (v *verification) rollups() error {
	v.progress.Start("verify rollup files", int64(len(v.version.Rollups)))
	var events int64
	whole := true
	for i := range v.version.Rollups {
		if err := v.ctx.Err(); err != nil {
			return err
		}
		f := &v.version.Rollups[i]
		path := v.lake.layout.RollupPath(f)
		n, err := rollupEvents(path, f)
		if err != nil {
			v.problem(path, adviceRollup, "%v", err)
			whole = false
		}
		events += n
		v.checked(f.Bytes)
		v.progress.Add(1)
	}
	want := v.version.Ledger.Quarantined // their cells stay: they did happen
	for i := range v.version.Files {
		want += v.version.Files[i].Rows
	}
	if whole && events != want {
		v.problem("", adviceRollup, "the rollup files count %d events, the Parquet files hold %d", events, want)
	}
	return nil
}

func rollupEvents(path string, f *FileEntry) (int64, error) {
	if err := checkFile(path, f); err != nil {
		return 0, err
	}
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	cells := rollup.New()
	if err := rollup.Read(file, f.Bytes, cells); err != nil {
		return 0, fmt.Errorf("reading it: %w", err)
	}
	return cells.Events(), nil
}
