package duck

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/signallake/signallake/sql/bench"
)

// variant is a written layout: what it holds, and what asking it took.
type variant struct {
	*writing
	files []*layoutFile
	texts []string // the question, by pair
	asked [][]int  // the indexes of the files that it reads, by pair
	warm  bench.Timing
	cold  bench.Timing
	disk  []int64 // the kernel's count, a question each
}

// layoutFile is what a catalog would know of a file.
type layoutFile struct {
	path          string
	key           pair // by its folders
	rows          int64
	bytes, footer int64
	groups        []layoutGroup
}

// layoutGroup is a row group: what its statistics say of the columns that are asked for, and the bytes of these.
type layoutGroup struct {
	firstDay, lastDay         string // "" where the day is no column
	firstService, lastService string
	bytes                     int64
}

// add reads the books of what was written, and prepares the questions.
func (b *layoutBench) add(w *writing, paths []string) error {
	v := &variant{writing: w}
	byPath := map[string]*layoutFile{}
	for _, path := range paths {
		ends := twinBooks{path: path}
		if err := ends.readEnds(); err != nil {
			return err
		}
		rel, err := filepath.Rel(b.cfg.Dir, path)
		if err != nil || strings.HasPrefix(rel, "..") {
			rel = path // of the lake
		}
		key, err := keyOf(rel)
		if err != nil {
			return err
		}
		f := &layoutFile{path: path, key: key, bytes: ends.bytes, footer: ends.footer}
		v.files = append(v.files, f)
		byPath[path] = f
	}
	if err := b.readGroups(paths, byPath); err != nil {
		return fmt.Errorf("read the footers of %s: %w", w.title, err)
	}
	for _, p := range b.pairs {
		v.prepare(p)
	}
	b.variants = append(b.variants, v)
	return nil
}

// readGroups fills in the row groups.
func (b *layoutBench) readGroups(paths []string, byPath map[string]*layoutFile) error {
	bound := func(end, column string) string {
		return "coalesce(max(stats_" + end + "_value) FILTER (path_in_schema = '" + column + "'), '')"
	}
	set, err := b.writer.conns[0].query("SELECT file_name, any_value(row_group_num_rows), "+bound("min", "event_date")+", "+bound("max", "event_date")+", "+bound("min", "service_name")+", "+bound("max", "service_name")+
		", sum(total_compressed_size) FILTER (path_in_schema IN ('event_date', 'service_name', '"+asked+"'))::BIGINT FROM parquet_metadata("+pathTexts(paths)+") GROUP BY file_name, row_group_id", 0)
	if err != nil {
		return err
	}
	for _, row := range set.rows {
		f := byPath[text(row[0])]
		rows, ok := row[1].(int64)
		bytes, ok2 := row[6].(int64)
		if f == nil || !ok || !ok2 {
			return fmt.Errorf("a row group of %v with %v rows and %v bytes", row[0], row[1], row[6])
		}
		f.rows += rows
		f.groups = append(f.groups, layoutGroup{text(row[2]), text(row[3]), text(row[4]), text(row[5]), bytes})
	}
	return nil
}

// prepare writes the question about a pair: the files whose folders do not rule it out, and the condition that folders leave.
func (v *variant) prepare(p pair) {
	var paths []string
	var files []int
	var rows int64
	for i, f := range v.files {
		if f.may(p, len(v.folders)) {
			paths, files, rows = append(paths, f.path), append(files, i), rows+f.rows
		}
	}
	source := fmt.Sprintf("%sread_parquet(%s, explicit_cardinality = %d, hive_partitioning = false)", askP95, pathTexts(paths), rows)
	switch len(v.folders) {
	case 0:
		source += " " + p.where()
	case 1:
		source += " " + strings.Replace(p.where(), fmt.Sprintf(" AND event_date = DATE '%s'", p.day), "", 1)
	}
	v.texts, v.asked = append(v.texts, source), append(v.asked, files)
}

// may says whether a file below so many folders can hold the pair.
func (f *layoutFile) may(p pair, folders int) bool {
	return (folders < 1 || f.key.day == p.day) && (folders < 2 || f.key.service == p.service)
}

// cost is what a question about a pair reads of a file: footer, and the needed chunks of row groups that the statistics do not rule out.
func (f *layoutFile) cost(p pair) int64 {
	n, day := f.footer, p.day.String()
	for _, g := range f.groups {
		if (g.firstDay == "" || g.firstDay <= day && day <= g.lastDay) && (g.firstService == "" || g.firstService <= p.service && p.service <= g.lastService) {
			n += g.bytes
		}
	}
	return n
}

// line is the variant in the report.
func (v *variant) line(pairs []pair) bench.Variant {
	out := bench.Variant{Name: v.name, Title: v.title, Files: len(v.files), Warm: v.warm, Cold: v.cold, Same: true} // else there would be no report
	for _, f := range v.files {
		out.Bytes, out.Footers, out.RowGroups = out.Bytes+f.bytes, out.Footers+f.footer, out.RowGroups+len(f.groups)
	}
	read := 0
	for i, p := range pairs {
		read += len(v.asked[i])
		for _, k := range v.asked[i] {
			out.ReadBytes += v.files[k].cost(p)
		}
	}
	out.Read, out.ReadBytes = float64(read)/float64(len(pairs)), out.ReadBytes/int64(len(pairs))
	if len(v.disk) > 0 {
		var sum int64
		for _, n := range v.disk {
			sum += n
		}
		out.Disk = sum / int64(len(v.disk))
	}
	return out
}

// variantOf is the variant of that name; nil when there is none.
func (b *layoutBench) variantOf(name string) *variant {
	if i := slices.IndexFunc(b.variants, func(v *variant) bool { return v.name == name }); i >= 0 {
		return b.variants[i]
	}
	return nil
}
