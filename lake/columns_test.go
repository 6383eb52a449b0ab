package lake

import (
	"fmt"
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
