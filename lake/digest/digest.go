// Package digest sums up the events of one Parquet file so that exact questions need not read it: counts by endpoint, region and hour, and
// every latency, by bucket. The file carries its digest between its last column and its footer, where other readers pass over it.
package digest
