package sql

import "github.com/signallake/signallake/lake"

// Params narrows a named question. Zero values do not narrow.
type Params struct {
	From, To lake.Micros // [From, To) in event time
	Service  string
	Limit    int // rows
}
