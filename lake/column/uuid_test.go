package column

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/delta"
)

// TestDigitFramesAreZstd decodes frames of ids of every form by another zstd, and holds their size against what they stand for.
func TestDigitFramesAreZstd(t *testing.T) {
	decoder, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	r := rand.New(rand.NewPCG(1, 9))
	w := NewWriter(allKinds())
	for _, n := range []int{0, 1, 2, 3, 4, 5, 7, 8, 50, 1001, 3640, 3641, 7281} {
		for _, step := range []uint64{0, 1, 1 << 10, 1 << 20, 1 << 30, 1 << 50} { // between neighbours, in milliseconds
			packed := make([]byte, n*uuidBytes)
			at := r.Uint64() >> 20
			for v := packed; len(v) > 0; v = v[uuidBytes:] {
				at += step
				binary.BigEndian.PutUint64(v, at<<16|7<<12|r.Uint64N(1<<12))
				binary.BigEndian.PutUint64(v[8:], r.Uint64()>>2|1<<63)
			}
			checkFrame(t, w, decoder, packed, uuidBytes, uuidText, uuidCode)
			for _, width := range []int{4, 8, 16, 64} {
				checkFrame(t, w, decoder, packed[:len(packed)/width*width], width, 2*width, hexCode)
			}
		}
	}
}

func checkFrame(t *testing.T, w *Writer, decoder *zstd.Decoder, packed []byte, width, text int, code *digitCode) {
	t.Helper()
	var p page
	w.digitPage(&p, packed, width, text, code)
	got := p.body
	if p.frame != nil {
		var err error
		if got, err = decoder.DecodeAll(p.frame, nil); err != nil {
			t.Fatalf("%d values of %d bytes: %v", len(packed)/width, text, err)
		}
		if len(got) != p.size || len(p.frame) >= p.size {
			t.Fatalf("%d values of %d bytes are %d, not %d, from %d", len(packed)/width, text, len(got), p.size, len(p.frame))
		}
	}
	lengths, err := new(delta.BinaryPackedEncoding).EncodeInt32(nil, make([]int32, len(packed)/width))
	if err != nil {
		t.Fatal(err)
	}
	var want []byte
	for v := packed; len(v) > 0; v = v[width:] {
		want = append(want, code.text(v[:width])...)
	}
	if !bytes.HasSuffix(got, want) || len(want)/text != len(packed)/width {
		t.Fatalf("%d values of %d bytes came out otherwise", len(packed)/width, text)
	}
	if most := len(lengths) + len(packed)*115/100 + len(packed)/width*4 + 150; len(p.frame) > most {
		t.Errorf("%d values of %d bytes take %d bytes, more than %d", len(packed)/width, text, len(p.frame), most)
	}
}
