package lake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// A catalog object is a text file of JSON lines: a header, one line a change, and an end line that holds the number of the lines before it
// and the CRC32C of their bytes. The end line is the last line in every format to come, so that damage is told from a newer release. An
// object is written once and never changed.
const catalogFormat = 1

// The two kinds of objects: a version is one commit, a checkpoint is the whole state at a version.
const (
	kindVersion    = "version"
	kindCheckpoint = "checkpoint"
)

// CatalogError is an object of the catalog (or its folder) that is not what was written.
type CatalogError struct {
	File   string
	Reason string
}

func (e *CatalogError) Error() string {
	return fmt.Sprintf("%s is damaged (%s): put back a copy of it from a backup; nothing was changed", e.File, e.Reason)
}

// catalogHeader is an object's first line.
type catalogHeader struct {
	Format          int           `json:"format"`
	Kind            string        `json:"kind"`
	Version         uint64        `json:"version"`
	TxID            string        `json:"txid"`
	CommittedAt     Micros        `json:"committed_at"`
	ExpectWatermark Seq           `json:"expect_watermark"` // equal to Watermark in a checkpoint
	Watermark       Seq           `json:"watermark"`
	Ledger          catalogLedger `json:"ledger"`
}

// catalogLedger is Ledger as it stands after the version.
type catalogLedger struct {
	Converted   int64 `json:"converted"`
	Deleted     int64 `json:"deleted"`
	Expired     int64 `json:"expired"`
	Quarantined int64 `json:"quarantined,omitempty"`
	RetiredTo   Seq   `json:"retired_to"`
}

// changeOp says what a line does to its entry.
type changeOp uint8

const (
	opAdd changeOp = iota
	opAddRollup
	opRemove
	opRemoveRollup
	opGone // only in a checkpoint: a file of Files that an earlier version removed and that still lies in its place
	opGoneRollup
	opCount
)

// opPrefixes are the first bytes of each op's line, by op.
var opPrefixes = [opCount]string{`{"add":`, `{"add_rollup":`, `{"remove":`, `{"remove_rollup":`, `{"gone":`, `{"gone_rollup":`}

// catalogChange is one line between header and end.
type catalogChange struct {
	op    changeOp
	entry FileEntry
	goneV uint64 // of opGone and opGoneRollup: the version that removed the entry
	goneT Micros // and when
}

// catalogObject is one decoded object.
type catalogObject struct {
	header  catalogHeader
	changes []catalogChange
	bytes   int64
}

// encode is the object's file.
func (o *catalogObject) encode() ([]byte, error) {
	head, err := json.Marshal(&o.header)
	if err != nil {
		return nil, fmt.Errorf("catalog header: %w", err)
	}
	dst := make([]byte, 0, len(head)+128+320*len(o.changes))
	dst = append(append(dst, head...), '\n')
	for i := range o.changes {
		dst = o.changes[i].appendLine(dst)
	}
	return append(dst, endLine(dst, len(o.changes)+1)...), nil
}

// endLine closes a body of so many lines.
func endLine(body []byte, lines int) string {
	return fmt.Sprintf(`{"end":{"lines":%d,"crc32c":%d}}`+"\n", lines, crc32c(0, body))
}

// appendLine writes the change in the canonical key order, which scanChange reads without encoding/json.
func (c *catalogChange) appendLine(dst []byte) []byte {
	dst = append(dst, opPrefixes[c.op]...)
	dst = appendEntry(dst, &c.entry)
	if c.op == opGone || c.op == opGoneRollup {
		dst = append(dst, `,"v":`...)
		dst = strconv.AppendUint(dst, c.goneV, 10)
		dst = append(dst, `,"at":`...)
		dst = strconv.AppendInt(dst, int64(c.goneT), 10)
	}
	return append(dst, "}\n"...)
}

// appendEntry writes an entry. Keys: d day, s service, c status code, n name, r rows, b bytes, x CRC32C, t timestamps, q seqs, f footer
// bytes, k column chunk bytes. They are short because a lake has tens of thousands of these lines.
func appendEntry(dst []byte, f *FileEntry) []byte {
	number := func(key string, n int64) {
		dst = append(dst, key...)
		dst = strconv.AppendInt(dst, n, 10)
	}
	number(`{"d":`, int64(f.Partition.Date))
	dst = appendString(append(dst, `,"s":`...), f.Partition.Service)
	number(`,"c":`, int64(f.Partition.Status))
	dst = appendString(append(dst, `,"n":`...), f.Name)
	number(`,"r":`, f.Rows)
	number(`,"b":`, f.Bytes)
	number(`,"x":`, int64(f.CRC32C))
	number(`,"t":[`, int64(f.MinTS))
	number(`,`, int64(f.MaxTS))
	number(`],"q":[`, int64(f.MinSeq))
	number(`,`, int64(f.MaxSeq))
	number(`],"f":`, f.FooterBytes)
	dst = append(dst, `,"k":[`...)
	for i, n := range f.ColumnBytes {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, n, 10)
	}
	return append(dst, "]}"...)
}

// appendString writes s as JSON; the standard encoder does it when there is anything to escape, which names of ours never need.
func appendString(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			quoted, err := json.Marshal(s)
			if err != nil { // a string always marshals
				quoted = []byte(`""`)
			}
			return append(dst, quoted...)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

// decodeObject reads an object and proves it whole. name stands in the errors: *CatalogError, ErrNewer.
func decodeObject(name string, data []byte) (*catalogObject, error) {
	body, err := checkEnd(data)
	if err != nil {
		return nil, &CatalogError{File: name, Reason: err.Error()}
	}
	head, rest, _ := bytes.Cut(body, []byte{'\n'})
	o := &catalogObject{bytes: int64(len(data))}
	var format struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(head, &format); err != nil {
		return nil, &CatalogError{File: name, Reason: "header: " + err.Error()}
	}
	if format.Format > catalogFormat {
		return nil, fmt.Errorf("%s has format %d, this release reads up to %d: %w; use that release or a later one", name, format.Format, catalogFormat, ErrNewer)
	}
	if err := json.Unmarshal(head, &o.header); err != nil || format.Format < 1 {
		return nil, &CatalogError{File: name, Reason: fmt.Sprintf("header: format %d: %v", format.Format, err)}
	}
	d := changeDecoder{services: map[string]string{}}
	o.changes = make([]catalogChange, 0, bytes.Count(rest, []byte{'\n'}))
	for line := 2; len(rest) > 0; line++ {
		var one []byte
		one, rest, _ = bytes.Cut(rest, []byte{'\n'})
		o.changes = append(o.changes, catalogChange{})
		if err := d.decode(one, &o.changes[len(o.changes)-1]); err != nil {
			return nil, &CatalogError{File: name, Reason: fmt.Sprintf("line %d: %v", line, err)}
		}
	}
	return o, nil
}

// checkEnd returns what lies before a right end line. The end line is compared with the one that we would write: every byte of an object
// is covered.
func checkEnd(data []byte) ([]byte, error) {
	if len(data) == 0 || data[len(data)-1] != '\n' {
		return nil, fmt.Errorf("it does not end with a whole line after %d bytes", len(data))
	}
	cut := bytes.LastIndexByte(data[:len(data)-1], '\n') + 1
	body, end := data[:cut], data[cut:]
	if cut == 0 {
		return nil, fmt.Errorf("its header or its end line is missing")
	}
	if want := endLine(body, bytes.Count(body, []byte{'\n'})); string(end) != want {
		return nil, fmt.Errorf("its end line is %.80q, its bytes say %q", end, want)
	}
	return body, nil
}
