package replay

import "slices"

// ranges is a set of IDs: from the first to the last of each range, which rise.
type ranges [][2]int64

// add adds an ID that is above all others.
func (r ranges) add(id int64) ranges {
	if n := len(r); n > 0 && r[n-1][1]+1 == id {
		r[n-1][1] = id
		return r
	}
	return append(r, [2]int64{id, id})
}

func (r ranges) contains(id int64) bool {
	_, found := slices.BinarySearchFunc(r, id, func(one [2]int64, id int64) int {
		switch {
		case one[1] < id:
			return -1
		case one[0] > id:
			return 1
		}
		return 0
	})
	return found
}
