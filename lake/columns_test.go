package lake

import (
	"fmt"
	"strings"
	"testing"
)

// TestDictionariesOverflow: values that the dictionary has no room for, or that are long, are kept all the same.
func TestDictionariesOverflow(t *testing.T) {
	w := newScanWorker(0, &arena{})
	var blocks []*block
	first := Seq(1)
	message := func(i int) string {
		switch i % 3 {
		case 0:
			return "always the same"
		case 1:
			return fmt.Sprint("unique ", i)
		}
		return strings.Repeat("x", dictionaryText+i%7)
	}
	const events = 10 * blockRows / 2 * 3
	for i := range events {
		w.add(&Event{ServiceName: "s", Message: message(i), Host: fmt.Sprint("host ", i%10)})
		if w.full() {
			blocks = append(blocks, w.finish(first))
			first += blockRows
		}
	}
	if n := len(w.dictionaries[textMessage].values); n != dictionaryLimit {
		t.Errorf("the dictionary has %d values", n)
	}
	for i := range events {
		b := blocks[i/blockRows]
		if got, host := b.textAt(textMessage, i%blockRows), b.textAt(textHost, i%blockRows); got != message(i) || host != fmt.Sprint("host ", i%10) {
			t.Fatalf("event %d: %q at %q", i, got, host)
		}
	}
	if len(blocks) != events/blockRows || len(w.partitions) != 1 {
		t.Errorf("%d blocks, %d partitions", len(blocks), len(w.partitions))
	}
}
