package duck

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	duckdb "github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// filesFunction is the table function that reads the files which a running statement holds. Users cannot call it: the gate does not know it.
const filesFunction = "signallake_files"

// rowsAThread is how many rows are worth a thread of a scan.
const rowsAThread = 16 << 10

// filesOrder is the function's columns, as places in lake.Columns. A scan of which no column is wanted, as that of count(*), is asked for the first one: it is
// one that no file has to be read for.
var filesOrder = func() (order [hotColumns]int) {
	order[0] = hotStatus
	n := 1
	for i := range hotColumns {
		if i != hotStatus {
			order[n] = i
			n++
		}
	}
	return order
}()

// wants tells whether a column of lake.Columns is wanted.
func wants(projection []int, column int) bool {
	switch {
	case column == hotStatus:
		return projection[0] >= 0
	case column < hotStatus:
		return projection[column+1] >= 0
	}
	return projection[column] >= 0
}

// register makes the function known to an instance.
func (o *ownFiles) register(connector *duckdb.Connector, threads int) error {
	return registerScan(connector, filesFunction, func(id int64, shape chunkShape, columns []duckdb.ColumnInfo) (duckdb.ParallelChunkTableSource, error) {
		list, ok := o.find(id)
		if !ok {
			return nil, fmt.Errorf("no statement holds the files %d", id)
		}
		ordered := make([]duckdb.ColumnInfo, len(columns))
		for i, at := range filesOrder {
			ordered[i] = columns[at]
		}
		return &fileScan{list: list, threads: threads, shape: shape, columns: ordered}, nil
	})
}

// fileScan is one scan of a statement over a list of files.
type fileScan struct {
	list    *fileList
	threads int
	shape   chunkShape
	columns []duckdb.ColumnInfo
	next    atomic.Int64 // group
}

func (s *fileScan) ColumnInfos() []duckdb.ColumnInfo { return s.columns }

func (s *fileScan) Cardinality() *duckdb.CardinalityInfo {
	return &duckdb.CardinalityInfo{Cardinality: uint(s.list.rows), Exact: true}
}

// Init begins the scan.
func (s *fileScan) Init() duckdb.ParallelTableSourceInfo {
	s.next.Store(0)
	return duckdb.ParallelTableSourceInfo{MaxThreads: max(1, min(s.threads, len(s.list.groups), int(s.list.rows/rowsAThread)))}
}

// NewLocalState is a thread's reader, or the error that there is none.
func (s *fileScan) NewLocalState() any {
	r, err := s.list.reader()
	if err != nil {
		return err
	}
	return r
}

// FillChunk decodes the wanted columns of the next rows; a chunk without rows is the end. Texts stay where they were decoded: the statement holds them until
// its answer has been read.
func (s *fileScan) FillChunk(state any, out duckdb.DataChunk) (err error) {
	chunk, projection := s.shape.of(&out)
	r, ok := state.(*fileReader)
	if !ok {
		return fmt.Errorf("read files: %v", state)
	}
	defer func() {
		if p := recover(); p != nil { // it may not reach DuckDB; the decoders of the format are written for files that are not damaged
			err = fmt.Errorf("read %s: the file is damaged: %v", r.path, p)
		}
	}()
	for r.left == 0 {
		i := int(s.next.Add(1)) - 1
		if i >= len(s.list.groups) {
			mapping.DataChunkSetSize(chunk, 0)
			return nil
		}
		if err := r.open(s.list, s.list.groups[i], projection); err != nil {
			return err
		}
	}
	rows := min(r.left, blockRows)
	for i, to := range projection {
		if to < 0 {
			continue
		}
		vector := mapping.DataChunkGetVector(chunk, mapping.IdxT(to))
		valid := (*[maskWords]uint64)(unsafe.Pointer(mapping.VectorGetValidity(vector))) // the driver has made it
		if err := r.fill(filesOrder[i], mapping.VectorGetData(vector), valid, rows); err != nil {
			return fmt.Errorf("read %s: %w", r.path, err)
		}
	}
	r.left -= rows
	mapping.DataChunkSetSize(chunk, mapping.IdxT(rows))
	return nil
}
