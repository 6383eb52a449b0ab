package sql

// Athena's price: 5 USD a terabyte scanned, each statement rounded up to the megabyte, 10 MB at least.
// Source: the service's price page; terabyte and megabyte are binary there (1 TB = 2^40 bytes).
const (
	athenaUSDPerTB = 5.0
	megabyte       = 1 << 20
	terabyte       = 1 << 40
	athenaMinBytes = 10 * megabyte
)

// AthenaUSD is what Athena charges for a statement that scans n bytes. A statement that scans nothing is free.
func AthenaUSD(n int64) float64 {
	if n <= 0 {
		return 0
	}
	billed := (n + megabyte - 1) / megabyte * megabyte
	return athenaUSDPerTB * float64(max(billed, athenaMinBytes)) / terabyte
}
