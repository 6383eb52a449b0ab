package replay

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/signallake/signallake/lake"
)

// unsettled is what a run that did not live to its end has left.
type unsettled struct {
	live  ranges                   // the letters that are kept
	lost  ranges                   // of them: the lake holds their events already, only the mark was lost
	parts map[int64]map[int64]bool // kept letters that were about to be split -> the places of their parts that are letters already
	open  []lake.DeadLetter        // the letters that parts speaks of
}

// skip says whether a kept letter does not count.
func (u *unsettled) skip(d *lake.DeadLetter) bool {
	return u.lost.contains(d.ID) || u.parts[parentOf(d)] != nil
}

// survey looks for what earlier runs left. It changes nothing.
func (d *Desk) survey(ctx context.Context) (*unsettled, error) {
	u := &unsettled{parts: map[int64]map[int64]bool{}}
	err := d.cfg.Lake.DeadLetters(0, func(l *lake.DeadLetter) error {
		u.live = u.live.add(l.ID)
		if parent := parentOf(l); parent > 0 && u.live.contains(parent) {
			if u.parts[parent] == nil {
				u.parts[parent] = map[int64]bool{}
			}
			u.parts[parent][l.Line] = true
		}
		return ctx.Err()
	})
	if err != nil || len(u.live) == 0 {
		return u, err
	}
	noted := map[int64][]uint32{}
	least := int64(0)
	err = d.cfg.Lake.NotesBack(0, func(_ lake.Micros, text []byte) bool {
		if n := parseNote(text); n != nil {
			n.each(func(id int64, sum uint32) {
				if u.live.contains(id) {
					noted[id] = append(noted[id], sum)
					if least == 0 || id < least {
						least = id
					}
				}
			})
		}
		return ctx.Err() == nil
	})
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return u, fmt.Errorf("read which letters were replayed: %w", err)
	}
	for parent := range u.parts {
		if least == 0 || parent < least {
			least = parent
		}
	}
	if least == 0 {
		return u, nil
	}
	err = d.cfg.Lake.DeadLetters(least, func(l *lake.DeadLetter) error {
		if sums := noted[l.ID]; len(sums) > 0 && slices.Contains(sums, sumOf(l)) {
			u.lost = u.lost.add(l.ID)
		}
		if u.parts[l.ID] != nil {
			kept := *l
			kept.Text = bytes.Clone(l.Text)
			u.open = append(u.open, kept)
		}
		return ctx.Err()
	})
	return u, err
}

// Settle ends what an earlier run has left half done, should its process have been killed or the disk have failed: letters whose events are in
// the lake are marked, and letters that were being split are split. It answers how many letters are gone by that.
func (d *Desk) Settle(ctx context.Context) (int64, error) {
	release, err := d.take(ctx)
	if err != nil {
		return 0, err
	}
	defer release()
	return d.settle(ctx)
}

func (d *Desk) settle(ctx context.Context) (int64, error) {
	if d.settled || d.cfg.Lake.DeadStatus().Kept == 0 {
		d.settled = true
		return 0, nil
	}
	u, err := d.survey(ctx)
	if err != nil {
		return 0, err
	}
	n, err := d.cfg.Lake.MarkReplayed(u.lost)
	if err != nil {
		return 0, fmt.Errorf("mark letters that were replayed before: %w", err)
	}
	for i := range u.open {
		parent := &u.open[i]
		texts, err := values(parent.Text)
		if err != nil {
			return n, fmt.Errorf("split the letter %d: %w", parent.ID, err)
		}
		pieces := make([]piece, len(texts))
		for j := range texts {
			pieces[j].text = texts[j]
		}
		if _, err := d.split(ctx, parent, parts(parent, pieces), u.parts[parent.ID]); err != nil {
			return n, err
		}
	}
	d.settled = true
	return n, nil
}

// split makes the parts of a letter letters of their own, but for those that are already, and only then ends it: whatever stops this in between,
// survey finds the letter with some of its parts, and they wait until settle has made the rest. It answers the new letters.
func (d *Desk) split(ctx context.Context, parent *lake.DeadLetter, all []lake.DeadLetter, there map[int64]bool) ([]lake.DeadLetter, error) {
	all = slices.DeleteFunc(all, func(part lake.DeadLetter) bool { return there[part.Line] })
	if err := d.cfg.Lake.Bury(ctx, all); err != nil {
		return nil, fmt.Errorf("split the letter %d: %w", parent.ID, err)
	}
	if _, err := d.cfg.Lake.MarkReplayed(ranges{{parent.ID, parent.ID}}); err != nil {
		return nil, fmt.Errorf("split the letter %d: %w", parent.ID, err)
	}
	return all, nil
}
