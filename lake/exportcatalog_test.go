package lake

import "context"

// Catalog opens the catalog to the tests outside the package, which can use laketest.
type Catalog struct{ *catalog }

func OpenCatalog(root string, d Disk) (Catalog, error) {
	c, err := openCatalog(Layout{Root: root}, d, testClock, false)
	return Catalog{c}, err
}

func (c Catalog) Layout() Layout { return c.layout }

func (c Catalog) Current() *Version { return c.current() }

func (c Catalog) Commit(tx Tx) (*Version, error) { return c.commit(context.Background(), tx) }

// CheckpointSoon makes the next commit write a checkpoint.
func (c Catalog) CheckpointSoon() { c.logBytes = c.checkBytes + checkpointSlack + 1 }

// NewTestTx converts n events above the watermark w.
func NewTestTx(w Seq, n int64) Tx { return testTx(w, n) }
