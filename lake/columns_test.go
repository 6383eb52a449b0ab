package lake

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestDictionariesOverflow: values that the dictionary has no room for, that are long, or that no dictionary is any use for, are kept all the
// same.
func TestDictionariesOverflow(t *testing.T) {
	w := newScanWorker(0, &arena{})
	var blocks []*block
	first := Seq(1)
	message := func(i int) string {
		switch i % 7 {
		case 0:
			return fmt.Sprintf("unique %0240d", i)
		case 1:
			return strings.Repeat("x", dictionaryText+i%9)
		}
		return "always the same"
	}
	const events = 10 * blockRows / 2 * 3
	for i := range events {
		w.add(&Event{ServiceName: "s", Message: message(i), Host: fmt.Sprint("host ", i%10), Attributes: fmt.Sprint("{", i, "}")})
		if w.full() {
			blocks = append(blocks, w.finish(first))
			first += blockRows
		}
	}
	if d := &w.dictionaries[textMessage]; d.closed || d.bytes > dictionaryBytes || d.bytes < dictionaryBytes-dictionaryText {
		t.Errorf("the dictionary of what repeats has %d bytes, closed: %v", d.bytes, d.closed)
	}
	if d := &w.dictionaries[textAttributes]; !d.closed || len(d.values) > dictionarySome+dictionaryTrial {
		t.Errorf("the dictionary of what does not repeat has %d values, closed: %v", len(d.values), d.closed)
	}
	for i := range events {
		b := blocks[i/blockRows]
		row := i % blockRows
		got, host, attributes := b.textAt(textMessage, row), b.textAt(textHost, row), b.textAt(textAttributes, row)
		if got != message(i) || host != fmt.Sprint("host ", i%10) || attributes != fmt.Sprint("{", i, "}") {
			t.Fatalf("event %d: %q at %q, %s", i, got, host, attributes)
		}
	}
	if len(blocks) != events/blockRows || len(w.partitions) != 1 {
		t.Errorf("%d blocks, %d partitions", len(blocks), len(w.partitions))
	}
}

// TestBlocksKeepTheOrderOfRows: texts of all kinds are found at the rows that their partitions' order gives them, and own ones side by side.
func TestBlocksKeepTheOrderOfRows(t *testing.T) {
	w := newScanWorker(0, &arena{})
	r := rand.New(rand.NewPCG(3, 5))
	var messages, attributes []string
	var got *block
	for i := range Seq(5) { // the dictionary of the attributes gives up on the way
		messages, attributes = nil, nil
		for !w.full() {
			message := []string{"", "again", fmt.Sprint("unique ", r.Uint64()), strings.Repeat("long", 100)}[r.IntN(4)]
			text := fmt.Sprintf("{%d}", r.Uint64())
			messages, attributes = append(messages, message), append(attributes, text)
			w.add(&Event{ServiceName: fmt.Sprint("s", r.IntN(20)), Message: message, Attributes: text})
		}
		got = w.finish(1 + i*blockRows)
	}
	for _, i := range []int{textMessage, textAttributes} {
		if len(got.text[i].ends) == 0 {
			t.Fatalf("column %d has no values of its own", i)
		}
	}
	next := uint16(dictionaryLimit)
	for row, came := range got.order {
		if message, text := got.textAt(textMessage, row), got.textAt(textAttributes, row); message != messages[came] || text != attributes[came] {
			t.Fatalf("row %d, event %d: %q with %s, want %q with %s", row, came, message, text, messages[came], attributes[came])
		}
		if n := got.text[textMessage].numbers[row]; n >= dictionaryLimit {
			if n != next {
				t.Fatalf("row %d has own value %d, want %d", row, n, next)
			}
			next++
		}
	}
}

// TestDictionaryGivesUp: what hardly repeats is asked no more, however often there is no value; what repeats somewhat is.
func TestDictionaryGivesUp(t *testing.T) {
	for name, c := range map[string]struct {
		values int // different ones
		closed bool
	}{"few": {300, false}, "hosts": {2000, false}, "unique": {1 << 40, true}} {
		var d dictionary
		r := rand.New(rand.NewPCG(7, 7))
		for i := range 100_000 {
			if d.number(""); i%5 == 0 {
				d.number(fmt.Sprint("value ", r.IntN(c.values)))
			}
		}
		if d.closed != c.closed || c.closed && len(d.values) > dictionarySome+2*dictionaryTrial {
			t.Errorf("%s: %d values, closed: %v", name, len(d.values), d.closed)
		}
	}
}
