package lake

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
)

// journalEntry is one record of the journal: bytes of one segment's two files.
type journalEntry struct {
	epoch           uint64
	segment         Seq
	dataAt, indexAt int64
	data, index     []byte
}

// parseEntry reads the record that p starts with. ok is false when it is none.
func parseEntry(p []byte) (e journalEntry, size int, ok bool) {
	if len(p) < journalRecord || binary.LittleEndian.Uint32(p[4:]) != journalMark {
		return journalEntry{}, 0, false
	}
	dataLen, indexLen := int64(binary.LittleEndian.Uint32(p[40:])), int64(binary.LittleEndian.Uint32(p[44:]))
	if journalRecord+dataLen+indexLen > int64(len(p)) {
		return journalEntry{}, 0, false
	}
	size = int(journalRecord + dataLen + indexLen)
	if crc32c(0, p[4:size]) != binary.LittleEndian.Uint32(p) {
		return journalEntry{}, 0, false
	}
	e = journalEntry{
		epoch: binary.LittleEndian.Uint64(p[8:]), segment: Seq(binary.LittleEndian.Uint64(p[16:])),
		dataAt: int64(binary.LittleEndian.Uint64(p[24:])), indexAt: int64(binary.LittleEndian.Uint64(p[32:])),
		data: p[journalRecord : journalRecord+dataLen], index: p[journalRecord+dataLen : size],
	}
	return e, size, e.segment > 0 && e.dataAt >= 0 && e.indexAt >= headerSize
}

// parseJournalHeader answers the size of a half; 0 when the file is no journal of ours.
func parseJournalHeader(p []byte) (half int64, err error) {
	if len(p) < journalHeader || !bytes.HasPrefix(p, []byte(journalMagic)) ||
		crc32c(0, p[:journalHeader-4]) != binary.LittleEndian.Uint32(p[journalHeader-4:]) {
		return 0, nil
	}
	if format := binary.LittleEndian.Uint16(p[4:]); format > journalFormat {
		return 0, fmt.Errorf("journal format %d, this release reads up to %d: %w", format, journalFormat, ErrNewer)
	}
	half = int64(binary.LittleEndian.Uint64(p[8:]))
	if half < journalPage || half%journalPage != 0 {
		return 0, nil
	}
	return half, nil
}

// readEpochs answers the epochs that the two halves begin with, 0 for none, and the size of a half, 0 when the file is no journal.
func readEpochs(path string) (epochs [2]uint64, half int64, err error) {
	entries, half, err := readJournal(path)
	for i := range entries {
		epochs[entries[i].epoch%2] = entries[i].epoch
	}
	return epochs, half, err
}

// readJournal answers the journal's records, oldest first. A missing file has none.
func readJournal(path string) (entries []journalEntry, half int64, err error) {
	p, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read the journal: %w", err)
	}
	if half, err = parseJournalHeader(p); err != nil || half == 0 {
		return nil, half, err
	}
	var halves [2][]journalEntry
	for i := range halves {
		from := journalPage + int64(i)*half
		halves[i] = parseHalf(p[min(int64(len(p)), from):min(int64(len(p)), from+half)], uint64(i))
	}
	older, newer := halves[0], halves[1]
	if len(older) > 0 && len(newer) > 0 && older[0].epoch > newer[0].epoch {
		older, newer = newer, older
	}
	return slices.Concat(older, newer), half, nil
}

// parseHalf reads the records of one epoch that a half starts with.
func parseHalf(p []byte, parity uint64) (entries []journalEntry) {
	for at := 0; at < len(p); {
		e, size, ok := parseEntry(p[at:])
		if !ok || e.epoch%2 != parity || len(entries) > 0 && e.epoch != entries[0].epoch {
			break
		}
		entries = append(entries, e)
		at += int(pages(int64(size)))
	}
	return entries
}

// redoJournal puts the bytes of the journal's records into the segments that are not sealed, and syncs them. It may be interrupted and run again.
// A sealed segment was synced before its seal. The bytes are written also where they are there already: after a failed sync they may be in memory
// alone, and count as written.
func redoJournal(l Layout, d Disk) error {
	entries, _, err := readJournal(l.Journal())
	if err != nil {
		return err
	}
	return eachUnsealed(l, entries, func(segment Seq, entries []journalEntry) error {
		return redoSegment(l, d, segment, entries, math.MaxInt64)
	})
}

// journalLacks says whether a segment lacks bytes that the journal has: after a power cut, until an owner has opened the lake.
func journalLacks(l Layout) (lacks bool, err error) {
	entries, _, err := readJournal(l.Journal())
	if err != nil {
		return false, err
	}
	err = eachUnsealed(l, entries, func(segment Seq, entries []journalEntry) error {
		for i := range entries {
			e := &entries[i]
			data, err := readRange(l.SegmentData(segment), e.dataAt, e.dataAt+int64(len(e.data)))
			if err != nil {
				return err
			}
			index, err := readRange(l.SegmentIndex(segment), e.indexAt, e.indexAt+int64(len(e.index)))
			if err != nil {
				return err
			}
			lacks = lacks || !bytes.Equal(data, e.data) || !bytes.Equal(index, e.index)
		}
		return nil
	})
	return lacks, err
}

// eachUnsealed calls fn with the entries of each segment that may need them. A segment's entries follow each other.
func eachUnsealed(l Layout, entries []journalEntry, fn func(segment Seq, entries []journalEntry) error) error {
	for len(entries) > 0 {
		segment := entries[0].segment
		n := slices.IndexFunc(entries, func(e journalEntry) bool { return e.segment != segment })
		if n < 0 {
			n = len(entries)
		}
		sealed, err := sealedOrGone(l, segment)
		if err == nil && !sealed {
			err = fn(segment, entries[:n])
		}
		if err != nil {
			return fmt.Errorf("put the journal's events into segment %d: %w", segment, err)
		}
		entries = entries[n:]
	}
	return nil
}

// sealedOrGone says whether a segment needs nothing from the journal.
func sealedOrGone(l Layout, segment Seq) (bool, error) {
	if _, err := os.Stat(l.SegmentData(segment)); errors.Is(err, os.ErrNotExist) {
		return true, nil
	}
	info, err := os.Stat(l.SegmentIndex(segment))
	if errors.Is(err, os.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	tail, err := readRange(l.SegmentIndex(segment), max(0, info.Size()-recordSize), info.Size())
	if err != nil {
		return false, err
	}
	_, sealed := parseSeal(segment, tail)
	return sealed, nil
}

// redoSegment writes a segment's entries to their places in its two files, up to dataEnd, and syncs both. What lies behind a gap belongs to
// another file of this name.
func redoSegment(l Layout, d Disk, segment Seq, entries []journalEntry, dataEnd int64) error {
	data, err := openEnd(d, l.SegmentData(segment))
	if err != nil {
		return err
	}
	defer data.file.Close() // synced below
	index, err := openEnd(d, l.SegmentIndex(segment))
	if err != nil {
		return err
	}
	defer index.file.Close()
	for i := range entries {
		e := &entries[i]
		if e.dataAt > data.size || e.indexAt > index.size || e.dataAt+int64(len(e.data)) > dataEnd {
			break
		}
		if err := data.put(e.data, e.dataAt); err != nil {
			return err
		}
		if err := index.put(e.index, e.indexAt); err != nil {
			return err
		}
	}
	return errors.Join(data.file.Sync(), index.file.Sync())
}

// fileEnd is a file that is written in place or at its end.
type fileEnd struct {
	file File
	size int64
}

func openEnd(d Disk, path string) (*fileEnd, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	file, err := d.OpenWrite(path)
	return &fileEnd{file, info.Size()}, err
}

func (f *fileEnd) put(p []byte, at int64) error {
	_, err := f.file.WriteAt(p, at)
	f.size = max(f.size, at+int64(len(p)))
	return err
}
