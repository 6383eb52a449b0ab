// Package column writes Parquet files column by column: values go from arrays into encoded, compressed pages without a value of their own in
// between, and statistics are made once, while encoding. It reads what it wrote by a Footer and Readers. It knows nothing of events.
//
// A file is row groups; a row group is one column after the other, in the order of the schema, each as one or more calls that give its values
// as arrays:
//
//	w := column.NewWriter(schema)
//	w.Reset(file)
//	w.Group(rows)
//	w.Int64s(instants, nil)
//	w.Texts(bytes, lengths, present)
//	summary, err := w.Close()
//
// A call's values are whole pages, so that a column that comes in several calls should come in parts of about PageBytes. The column ends with
// its last row, and the next call is the next column's. Errors stay until Close, which tells the first one. Buffers are kept from file to
// file: a Writer that has warmed up allocates next to nothing.
//
// It writes what every reader of our field takes: data pages of version 2, zstd (a page that does not shrink stays as it is), integers as
// DELTA_BINARY_PACKED, doubles PLAIN, text as RLE_DICTIONARY or DELTA_LENGTH_BYTE_ARRAY, three-level lists. Statistics are exact. The page
// index is there when a column of the file has more than one page; without it there is nothing to choose between.
package column

import (
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// Kind is the type of a column's values.
type Kind uint8

const (
	Int64     Kind = iota // BIGINT
	Int32                 // INTEGER
	Int16                 // SMALLINT
	Date                  // DATE: days since 1970-01-01, given as int32
	Timestamp             // TIMESTAMP without time zone: microseconds since 1970-01-01T00:00:00, given as int64
	Double                // DOUBLE
	Text                  // VARCHAR, UTF-8
)

// Column is one column of a file.
type Column struct {
	Name     string
	Kind     Kind
	Nullable bool
	List     bool // rows are lists of values; neither a list nor a value in it is ever NULL
	NoBounds bool // no minimum and maximum in the statistics: they are long, or prune nothing
}

// Schema is what all files of a Writer share.
type Schema struct {
	Name      string // of the message
	Columns   []Column
	CreatedBy string
	Metadata  []KeyValue // ordered by key
}

// KeyValue is an entry of a file's metadata.
type KeyValue struct{ Key, Value string }

// elements is the schema as the footer has it: a tree, depth first.
func (s *Schema) elements() []format.SchemaElement {
	out := []format.SchemaElement{{Name: s.Name, NumChildren: thrift.New(int32(len(s.Columns)))}}
	for i := range s.Columns {
		c := &s.Columns[i]
		value := c.element()
		if c.List {
			value.Name, value.RepetitionType = "element", thrift.New(format.Required)
			out = append(out, format.SchemaElement{
				Name: c.Name, RepetitionType: thrift.New(format.Required), NumChildren: thrift.New(int32(1)),
				ConvertedType: thrift.New(deprecated.List), LogicalType: format.LogicalType{Value: &format.ListType{}},
			}, format.SchemaElement{Name: "list", RepetitionType: thrift.New(format.Repeated), NumChildren: thrift.New(int32(1))})
		}
		out = append(out, value)
	}
	return out
}

func (c *Column) element() format.SchemaElement {
	e := format.SchemaElement{Name: c.Name, Type: thrift.New(c.Kind.physical()), RepetitionType: thrift.New(format.Required)}
	if c.Nullable {
		e.RepetitionType.V = format.Optional
	}
	switch c.Kind {
	case Int64:
		e.ConvertedType, e.LogicalType.Value = thrift.New(deprecated.Int64), &format.IntType{BitWidth: 64, IsSigned: true}
	case Int32:
		e.ConvertedType, e.LogicalType.Value = thrift.New(deprecated.Int32), &format.IntType{BitWidth: 32, IsSigned: true}
	case Int16:
		e.ConvertedType, e.LogicalType.Value = thrift.New(deprecated.Int16), &format.IntType{BitWidth: 16, IsSigned: true}
	case Date:
		e.ConvertedType, e.LogicalType.Value = thrift.New(deprecated.Date), &format.DateType{}
	case Timestamp: // readers that know no logical types take the converted one, which says nothing of time zones
		e.ConvertedType = thrift.New(deprecated.TimestampMicros)
		e.LogicalType.Value = &format.TimestampType{Unit: format.TimeUnit{Value: &format.MicroSeconds{}}}
	case Text:
		e.ConvertedType, e.LogicalType.Value = thrift.New(deprecated.UTF8), &format.StringType{}
	}
	return e
}

// physical is the type that the values are stored as.
func (k Kind) physical() format.Type {
	switch k {
	case Int32, Int16, Date:
		return format.Int32
	case Double:
		return format.Double
	case Text:
		return format.ByteArray
	}
	return format.Int64
}

// path is where the column's values stand in the schema.
func (c *Column) path() []string {
	if c.List {
		return []string{c.Name, "list", "element"}
	}
	return []string{c.Name}
}
