package lake

import (
	"context"
	"slices"
)

// rangesPerLine keeps the lines that tell of letters that are done with short.
const rangesPerLine = 1000

// The states that end a letter, as their lines have them.
const (
	stateDiscarded = "discarded"
	stateReplayed  = "replayed"
)

// discard writes down that the letters which pick wants are done with.
func (z *deadZone) discard(ctx context.Context, pick func(*DeadLetter) bool) (int64, error) {
	var ids [][2]int64
	adjoin := false // nothing that stays lies between the newest of ids and the letter at hand
	err := z.list(0, func(d *DeadLetter) error {
		wanted := pick(d)
		switch {
		case wanted && adjoin:
			ids[len(ids)-1][1] = d.ID
		case wanted:
			ids = append(ids, [2]int64{d.ID, d.ID})
		}
		adjoin = wanted
		return ctx.Err()
	})
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	return z.settle(ids, stateDiscarded)
}

// settle writes down that letters, from the first to the last ID of each range, are done with, and answers how many of them counted until now.
func (z *deadZone) settle(ids [][2]int64, state string) (int64, error) {
	z.turn.Lock()
	defer z.turn.Unlock()
	b := &z.books
	before := b.kept(0, b.next)
	var gone seqRanges
	for _, one := range ids {
		gone = append(gone, seqRange{Seq(one[0]), Seq(one[1]) + 1})
	}
	if left := b.live.without(gone); len(left) == 0 || left[len(left)-1].End <= Seq(b.files[len(b.files)-1].name) {
		z.rest() // the newest file may go as well
	}
	at := string(appendInstant(nil, MicrosOf(z.now())))
	err := z.write(func(dst []byte, next int64) (_ []byte, _ int64, err error) {
		for part := range slices.Chunk(ids, rangesPerLine) {
			if dst, err = appendDeadRecord(dst, deadRecord{State: state, At: at, IDs: part}); err != nil {
				return dst, next, err
			}
		}
		return dst, next, nil
	})
	if err == nil {
		z.collect(true)
	}
	return before - b.kept(0, b.next), err
}
