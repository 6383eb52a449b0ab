package lake

import (
	"bytes"
	"errors"
	"fmt"
	"math"

	"github.com/parquet-go/parquet-go"

	"github.com/signallake/signallake/lake/digest"
)

// checkDigest compares a file's digest with one that is made anew from its columns. A file without one is fine: an older release made it.
func checkDigest(path string, f *FileEntry) error {
	var read DigestRead
	stored, err := readDigest(path, f, new([]byte), &read)
	if errors.Is(err, digest.ErrNone) {
		return nil
	}
	if err != nil {
		return err
	}
	anew, err := digestOfColumns(path)
	if err != nil {
		return err
	}
	if err := digest.Same(digest.File{Digest: stored, Values: &digestValues{path, f.footerStart() - stored.Bytes(), &read}}, anew); err != nil {
		return fmt.Errorf("its digest does not agree with its columns: %w", err)
	}
	return nil
}

// digestOfColumns reads what a digest is made of from the file's columns, a row group at a time.
func digestOfColumns(path string) (digest.File, error) {
	file, err := openParquet(path)
	if err != nil {
		return digest.File{}, err
	}
	var b digest.Builder
	var endpoints, regions ownNames
	b.Reset()
	from := int64(0)
	for _, group := range file.RowGroups() {
		c, err := file.digestColumns(from, from+group.NumRows(), &endpoints, &regions)
		if err != nil {
			return digest.File{}, err
		}
		b.Add(c)
		from += group.NumRows()
	}
	all := b.Append(nil, func(number int) string { return endpoints.names[number] }, func(number int) string { return regions.names[number] })
	t, err := digest.ParseTrailer(all)
	if err != nil {
		return digest.File{}, err
	}
	d, err := digest.Parse(all[t.Values:])
	return digest.File{Digest: d, Values: bytes.NewReader(all[:t.Values])}, err
}

// digestColumns reads rows [from, to) as a digest's builder takes them.
func (f *parquetFile) digestColumns(from, to int64, endpoints, regions *ownNames) (c digest.Columns, err error) {
	for column, add := range map[string]func(v parquet.Value){
		"timestamp": func(v parquet.Value) { c.Timestamps = append(c.Timestamps, v.Int64()) },
		"endpoint":  func(v parquet.Value) { c.Endpoints = append(c.Endpoints, endpoints.number(string(v.ByteArray()))) },
		"region":    func(v parquet.Value) { c.Regions = append(c.Regions, regions.number(string(v.ByteArray()))) },
		"latency_ms": func(v parquet.Value) {
			ms := math.NaN()
			if !v.IsNull() {
				ms = v.Double()
			}
			c.Latencies = append(c.Latencies, ms)
		},
	} {
		if err := f.eachValue(column, from, to, add); err != nil {
			return c, err
		}
	}
	return c, nil
}

// eachValue calls fn with a column's values of rows [from, to).
func (f *parquetFile) eachValue(column string, from, to int64, fn func(v parquet.Value)) error {
	var values []parquet.Value
	return f.readColumn(column, from, to, func(page parquet.Page) (err error) {
		defer parquet.Release(page)
		values, err = appendValues(values[:0], page)
		for i := range values {
			fn(values[i])
		}
		return err
	})
}
