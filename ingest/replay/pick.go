package replay

import (
	"slices"
	"strings"

	"github.com/signallake/signallake/lake"
)

// All says whether the pick leaves out nothing.
func (p Pick) All() bool {
	return p.Source == "" && p.Reason == "" && p.Kind == "" && len(p.IDs) == 0 && len(p.Groups) == 0 && p.Upto == 0
}

// Match makes the func that says which letters are meant.
func (p Pick) Match() func(*lake.DeadLetter) bool {
	ids := slices.Sorted(slices.Values(p.IDs))
	source, reason := strings.ToLower(p.Source), strings.ToLower(p.Reason)
	return func(d *lake.DeadLetter) bool {
		if len(ids) > 0 {
			if _, found := slices.BinarySearch(ids, d.ID); !found {
				return false
			}
		}
		if p.Upto > 0 && d.ID > p.Upto || !contains(d.Source, source) || !contains(FieldReason(d), reason) {
			return false
		}
		if p.Kind == "" && len(p.Groups) == 0 {
			return true
		}
		kind := KindOf(d)
		return (p.Kind == "" || p.Kind == kind) && (len(p.Groups) == 0 || slices.Contains(p.Groups, Key{d.Source, kind}))
	}
}

func contains(s, part string) bool { return part == "" || strings.Contains(strings.ToLower(s), part) }

// FieldReason is a letter's reason with the field that it speaks of.
func FieldReason(d *lake.DeadLetter) string {
	if d.Field == "" {
		return d.Reason
	}
	return d.Field + ": " + d.Reason
}

// KindOf is the Kind of the group that a letter belongs to.
func KindOf(d *lake.DeadLetter) string {
	kind := lake.ReasonKind(d.Reason)
	if d.Field == "" {
		return kind
	}
	return d.Field + ": " + kind
}
