package lake

// FileEntry is what the catalog knows of one Parquet file: all that planning, cost and proof need, written once by the writer.
type FileEntry struct {
	Partition   Partition // zero for a rollup file
	Name        string    // file name inside the partition's folder (or inside rollup/); carries the transaction that made it
	Rows        int64
	Bytes       int64
	CRC32C      uint32 // Castagnoli, of the whole file
	MinTS       Micros // both ends inclusive
	MaxTS       Micros
	MinSeq      Seq // both ends inclusive
	MaxSeq      Seq
	ColumnBytes []int64 // compressed size of each column chunk, summed over row groups, in the order of FileColumns; empty for a rollup file
	FooterBytes int64   // magic, metadata and its length: what a reader fetches before any column
}

// Version is one immutable state of the lake: what it names exists, anything else is litter. Share it freely; never change it.
type Version struct {
	Number      uint64 // 0 is the empty lake before the first commit
	TxID        string // the transaction that made it
	CommittedAt Micros
	Watermark   Seq         // every event with a smaller seq is in Files; raw segments that start at or above it are the hot tail
	Files       []FileEntry // events, ordered by partition, then MinSeq
	Rollups     []FileEntry // minute cells, of exactly the events below Watermark
	Ledger      Ledger
}

// Ledger accounts for every seq below the watermark: Converted = rows visible in Files + Deleted + Expired + Quarantined.
type Ledger struct {
	Converted   int64 // events taken from raw into Parquet
	Deleted     int64
	Expired     int64
	Quarantined int64 // in damaged files that Quarantine took out of the lake; raw may still have them
	RetiredTo   Seq   // raw segments wholly below it may be gone; 1 while none was retired
}

// Tx is one proposed change. Its preconditions are ExpectWatermark and that every file in Remove is still live; a commit that lost a race
// checks them against the newer version and gives up with ErrConflict when they no longer hold.
type Tx struct {
	ID              string // NewTxID
	ExpectWatermark Seq
	NewWatermark    Seq // equal to ExpectWatermark when nothing is converted
	Converted       int64
	Quarantined     int64 // rows of files in Remove that are given up
	Add, AddRollups []FileEntry
	Remove          []FileEntry // of Files
	RemoveRollups   []FileEntry
}

// Path is where the entry's file lies, below the layout's root: processed/partitioned/<partition>/<name>.
func (l Layout) Path(f *FileEntry) string {
	return l.Partitioned() + "/" + f.Partition.Dir() + "/" + f.Name
}

// RollupPath is where a rollup entry's file lies.
func (l Layout) RollupPath(f *FileEntry) string { return l.Rollup() + "/" + f.Name }
