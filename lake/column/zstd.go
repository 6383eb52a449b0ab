package column

import "github.com/klauspost/compress/zstd"

// newEncoder is zstd at its fastest that also entropy-codes data without repetitions: without that, hex digits take all of their bytes.
func newEncoder() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithAllLitEntropyCompression(true), zstd.WithZeroFrames(true), zstd.WithEncoderCRC(false), // pages have a checksum
		zstd.WithWindowSize(PageBytes))
	if err != nil {
		panic(err) // only options that contradict each other give one
	}
	return e
}

// smallPage is how many bytes are not worth a search: building tables takes longer than reading the few that it might save.
const smallPage = 1 << 10

// compress is b as a zstd frame, good until the next call.
func (w *Writer) compress(b []byte) []byte {
	if len(b) <= smallPage {
		f := frame{w.scratch.frame[:0]}
		f.begin(len(b))
		f.raw(b, true)
		w.scratch.frame = f.b
		return f.b
	}
	w.scratch.frame = w.encoder.EncodeAll(b, w.scratch.frame[:0])
	return w.scratch.frame
}
