// Package column writes Parquet files column by column: values go from arrays into encoded, compressed pages without a value of their own in
// between, and statistics are made once, while encoding. It knows nothing of events.
package column
