package duck

import (
	"context"
	stdsql "database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"sync/atomic"
	"unsafe"

	duckdb "github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/signallake/signallake/lake"
)

// hotFunction is the table function that answers the hot rows that a running statement holds. Users cannot call it: the gate does not know it.
const hotFunction = "signallake_hot"

// blocksAThread is how many blocks are worth a thread of a scan.
const blocksAThread = 16

// chunkShape is where the driver keeps what it hands to a table function: it has no accessor for the vectors themselves.
type chunkShape struct{ chunk, projection uintptr }

// shapeOfChunks finds the fields. TestHotTexts fails when they mean something else in a new release.
func shapeOfChunks() (chunkShape, error) {
	t := reflect.TypeFor[duckdb.DataChunk]()
	chunk, ok := t.FieldByName("chunk")
	if !ok || chunk.Type != reflect.TypeFor[mapping.DataChunk]() {
		return chunkShape{}, errors.New("this release of the DuckDB driver keeps its chunks elsewhere")
	}
	projection, ok := t.FieldByName("projection")
	if !ok || projection.Type != reflect.TypeFor[[]int]() {
		return chunkShape{}, errors.New("this release of the DuckDB driver keeps the columns of a scan elsewhere")
	}
	return chunkShape{chunk.Offset, projection.Offset}, nil
}

// of is the engine's own chunk within the driver's, and where in it each column is wanted; below 0: nowhere.
func (s chunkShape) of(out *duckdb.DataChunk) (chunk mapping.DataChunk, projection []int) {
	return *(*mapping.DataChunk)(unsafe.Add(unsafe.Pointer(out), s.chunk)), *(*[]int)(unsafe.Add(unsafe.Pointer(out), s.projection))
}

// openConnector hides the connector's Close from database/sql, which would close the instance with it.
type openConnector struct{ driver.Connector }

// register makes the function known to an instance.
func (h *hotSet) register(connector *duckdb.Connector, threads int) error {
	return registerScan(connector, hotFunction, func(id int64, shape chunkShape, columns []duckdb.ColumnInfo) (duckdb.ParallelChunkTableSource, error) {
		table, ok := h.held(id)
		if !ok {
			return nil, fmt.Errorf("no statement holds the hot rows %d", id)
		}
		return &hotScan{table: table, threads: threads, shape: shape, columns: columns}, nil
	})
}

// registerScan makes a function known that answers events by a number, with the columns of lake.Columns. The driver takes it by way of database/sql only.
func registerScan(connector *duckdb.Connector, name string, open func(id int64, shape chunkShape, columns []duckdb.ColumnInfo) (duckdb.ParallelChunkTableSource, error)) (err error) {
	shape, err := shapeOfChunks()
	if err != nil {
		return err
	}
	columns, err := hotColumnInfos()
	if err != nil {
		return err
	}
	number, err := duckdb.NewTypeInfo(duckdb.TYPE_BIGINT)
	if err != nil {
		return err
	}
	db := stdsql.OpenDB(openConnector{connector})
	defer func() { err = errors.Join(err, db.Close()) }()
	c, err := db.Conn(context.Background())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	return duckdb.RegisterTableUDF(c, name, duckdb.ParallelChunkTableFunction{
		Config: duckdb.TableFunctionConfig{Arguments: []duckdb.TypeInfo{number}},
		BindArguments: func(_ map[string]any, args ...any) (duckdb.ParallelChunkTableSource, error) {
			id, _ := args[0].(int64)
			return open(id, shape, columns)
		},
	})
}

func hotColumnInfos() ([]duckdb.ColumnInfo, error) {
	types := map[string]duckdb.Type{"VARCHAR": duckdb.TYPE_VARCHAR, "TIMESTAMP": duckdb.TYPE_TIMESTAMP, "DATE": duckdb.TYPE_DATE, "INTEGER": duckdb.TYPE_INTEGER,
		"BIGINT": duckdb.TYPE_BIGINT, "DOUBLE": duckdb.TYPE_DOUBLE}
	var infos []duckdb.ColumnInfo
	for _, c := range lake.Columns() {
		info, err := duckdb.NewTypeInfo(types[c.Type])
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", c.Name, err)
		}
		infos = append(infos, duckdb.ColumnInfo{Name: c.Name, T: info})
	}
	return infos, nil
}

// hotScan is one scan of a statement over a hot table.
type hotScan struct {
	table   *hotTable
	threads int
	shape   chunkShape
	columns []duckdb.ColumnInfo
	next    atomic.Int64 // block
}

func (s *hotScan) ColumnInfos() []duckdb.ColumnInfo { return s.columns }

func (s *hotScan) Cardinality() *duckdb.CardinalityInfo {
	return &duckdb.CardinalityInfo{Cardinality: uint(s.table.rows), Exact: true}
}

// Init begins the scan.
func (s *hotScan) Init() duckdb.ParallelTableSourceInfo {
	s.next.Store(0)
	return duckdb.ParallelTableSourceInfo{MaxThreads: max(1, min(s.threads, len(s.table.blocks)/blocksAThread))}
}

func (s *hotScan) NewLocalState() any { return nil }

// FillChunk copies the wanted columns of the next block; a chunk without rows is the end. Texts stay where they are: the statement holds them until its answer
// has been read.
func (s *hotScan) FillChunk(_ any, out duckdb.DataChunk) error {
	chunk, projection := s.shape.of(&out)
	i := int(s.next.Add(1)) - 1
	if i >= len(s.table.blocks) {
		mapping.DataChunkSetSize(chunk, 0)
		return nil
	}
	block, rows := s.table.blocks[i], s.table.rowsOf(i)
	nulls := block.nulls.Load()
	for column, to := range projection {
		if to < 0 {
			continue
		}
		vector := mapping.DataChunkGetVector(chunk, mapping.IdxT(to))
		n := rows * hotWidths[column]
		copy(unsafe.Slice((*byte)(mapping.VectorGetData(vector)), n), unsafe.Slice((*byte)(block.columns[column]), n))
		if nulls&(1<<column) == 0 {
			continue
		}
		valid := unsafe.Slice((*uint64)(mapping.VectorGetValidity(vector)), maskWords) // the driver has made it
		for word := range (rows + 63) / 64 {
			valid[word] = atomic.LoadUint64(&block.valid[column][word])
		}
	}
	mapping.DataChunkSetSize(chunk, mapping.IdxT(rows))
	return nil
}
