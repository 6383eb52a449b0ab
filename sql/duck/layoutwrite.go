package duck

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/sql/bench"
)

// writing says how a variant is written.
type writing struct {
	name, title string
	folders     []string // columns that are folders
	files       int      // a partition; 0: 1
	codec       string   // "": zstd
	rowGroup    int      // rows; 0: standardRowGroup
	order       string   // of the rows in a file
}

const (
	// standardRowGroup is DuckDB's own.
	standardRowGroup = 122_880
	// partFolder is a key of the writer's alone: the slices of a partition that has several files.
	partFolder = "part"
	byTime     = "timestamp, seq"
	// pairVariant has a file for each pair of service and day.
	pairVariant = "service"
)

var treeFolders = []string{"event_date", "service_name", "status_code"}

// writings are the variants that are written, in the order of writing: the first one is what the others are made of.
func writings() []writing {
	tree := func(name, title string, w writing) writing {
		w.name, w.title, w.folders = name, "date/service/status"+title, treeFolders
		return w
	}
	sorted := func(name, title string, rowGroup int) writing {
		return writing{name: name, title: "one file ordered by date, service, status" + title, rowGroup: rowGroup, order: "event_date, service_name, status_code, " + byTime}
	}
	return []writing{
		{name: bench.VariantOne, title: "one file in the order of time"},
		{name: "date", title: "date", folders: treeFolders[:1]},
		{name: pairVariant, title: "date/service", folders: treeFolders[:2]},
		tree(bench.VariantTree, "", writing{}),
		tree("files4", ", 4 files a partition", writing{files: 4}),
		tree(bench.VariantMany, ", 16 files a partition", writing{files: 16}),
		tree("none", ", not compressed", writing{codec: "uncompressed"}),
		tree("snappy", ", snappy", writing{codec: "snappy"}),
		sorted("sorted8k", ", groups of 8,192", 8_192),
		sorted("sorted32k", ", groups of 32,768", 32_768),
		sorted(bench.VariantSorted, "", 0),
	}
}

// layoutAxes name the variants of each axis.
func layoutAxes() []bench.Axis {
	own := bench.Point{Title: "the lake's own files", Variant: bench.VariantOwn}
	return []bench.Axis{
		{Name: bench.AxisTree, Title: "folders", Points: []bench.Point{{Title: "one file in the order of time", Variant: bench.VariantOne}, {Title: "date", Variant: "date"},
			{Title: "date/service", Variant: pairVariant}, {Title: "date/service/status", Variant: bench.VariantTree}, own}},
		{Name: bench.AxisFiles, Title: "files a partition", Points: []bench.Point{{Title: "1", Variant: bench.VariantTree}, {Title: "4", Variant: "files4"}, {Title: "16", Variant: bench.VariantMany}}},
		{Name: bench.AxisCodec, Title: "codec", Points: []bench.Point{{Title: "none", Variant: "none"}, {Title: "snappy", Variant: "snappy"}, {Title: "zstd", Variant: bench.VariantTree},
			{Title: "zstd, the lake's own files", Variant: bench.VariantOwn}}},
		{Name: bench.AxisRowGroups, Title: "row groups of one ordered file", Points: []bench.Point{{Title: "8,192 rows", Variant: "sorted8k"}, {Title: "32,768 rows", Variant: "sorted32k"},
			{Title: "122,880 rows", Variant: bench.VariantSorted}}},
	}
}

// LayoutRoom is about how many bytes of disk an event takes in a benchmark of layouts, its lake included.
const LayoutRoom = 2_000

// write makes the variants, and finds out what each holds.
func (b *layoutBench) write(ctx context.Context) error {
	all := writings()
	b.cfg.Progress.Start("write layouts", int64(len(all)+1))
	for i := range all {
		w := &all[i]
		dir := filepath.Join(b.cfg.Dir, w.name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		for _, source := range b.sources(w) {
			if err := b.writer.conns[0].exec(w.copySQL(source, dir)); err != nil {
				return errors.Join(ctx.Err(), fmt.Errorf("write %s: %w", w.title, err))
			}
		}
		paths, err := parquetBelow(dir)
		if err != nil {
			return err
		}
		if err := b.add(w, paths); err != nil {
			return err
		}
		b.cfg.Progress.Add(1)
	}
	var own []string
	for i := range b.version.Files {
		own = append(own, b.layout.Path(&b.version.Files[i]))
	}
	err := b.add(&writing{name: bench.VariantOwn, title: "the lake's own files", folders: treeFolders}, own)
	b.cfg.Progress.Add(1)
	return err
}

// sources are what a variant is written from, in the order of time: the first one from the lake, others from that; one with many folders a pair of
// service and day at a time, since each file that is open takes megabytes.
func (b *layoutBench) sources(w *writing) []string {
	if len(b.variants) == 0 {
		return []string{b.ownSource()}
	}
	pairs := b.variantOf(pairVariant)
	if len(w.folders) < len(treeFolders) || pairs == nil {
		return []string{fmt.Sprintf("read_parquet(%s)", sql.Literal(b.variants[0].files[0].path))}
	}
	var sources []string
	for _, f := range pairs.files {
		sources = append(sources, fmt.Sprintf("(SELECT *, DATE '%s' AS event_date, %s AS service_name FROM read_parquet(%s, hive_partitioning = false))", f.key.day, sql.Literal(f.key.service), sql.Literal(f.path)))
	}
	return sources
}

// ownSource is the lake's own files, in the order of time.
func (b *layoutBench) ownSource() string {
	files := make([]*lake.FileEntry, len(b.version.Files))
	for i := range b.version.Files {
		files[i] = &b.version.Files[i]
	}
	return "(SELECT " + columnNames() + " FROM " + readFiles(b.layout, files) + " ORDER BY " + byTime + ")"
}

// copySQL writes a source that is in the order of time into a folder.
func (w *writing) copySQL(source, dir string) string {
	rows, folders := "SELECT * FROM "+source, w.folders
	if w.files > 1 {
		folders = append(folders[:len(folders):len(folders)], partFolder)
		rows = fmt.Sprintf("SELECT *, ntile(%d) OVER (PARTITION BY %s ORDER BY %s) AS %s FROM %s", w.files, strings.Join(w.folders, ", "), byTime, partFolder, source)
	}
	if w.order != "" {
		rows += " ORDER BY " + w.order
	}
	codec, rowGroup := w.codec, w.rowGroup
	if codec == "" {
		codec = "zstd"
	}
	if rowGroup == 0 {
		rowGroup = standardRowGroup
	}
	target := filepath.Join(dir, "events.parquet")
	options := fmt.Sprintf("FORMAT parquet, COMPRESSION %s, ROW_GROUP_SIZE %d", codec, rowGroup)
	if len(folders) > 0 {
		target = dir
		options += ", OVERWRITE_OR_IGNORE, PARTITION_BY (" + strings.Join(folders, ", ") + ")" // the folder is there
	}
	return fmt.Sprintf("COPY (%s) TO %s (%s)", rows, sql.Literal(target), options)
}

// parquetBelow are the Parquet files below a folder.
func parquetBelow(dir string) ([]string, error) {
	var paths []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".parquet") {
			paths = append(paths, path)
		}
		return err
	})
	return paths, err
}

// pathTexts is a list constant of paths.
func pathTexts(paths []string) string {
	quoted := make([]string, len(paths))
	for i, path := range paths {
		quoted[i] = sql.Literal(path)
	}
	return "[" + strings.Join(quoted, ",") + "]"
}

// keyOf is the service and the day in a file's path; what is no folder is zero.
func keyOf(path string) (key pair, err error) {
	for _, part := range strings.Split(path, string(filepath.Separator)) {
		name, value, ok := strings.Cut(part, "=")
		if !ok {
			continue
		}
		if value, err = url.PathUnescape(value); err != nil {
			return key, fmt.Errorf("the folder %s: %w", part, err)
		}
		switch name {
		case "event_date":
			if key.day, err = lake.ParseDate(value); err != nil {
				return key, fmt.Errorf("the folder %s: %w", part, err)
			}
		case "service_name":
			key.service = value
		}
	}
	return key, nil
}
