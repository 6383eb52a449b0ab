package lake

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
)

// The journal makes small groups durable with one sync instead of two. A sync of a growing file waits for the file system's own journal, twice
// for data and index; this file is written with zeros beforehand, so nothing but its bytes needs to reach the disk. Each record holds what one
// group wrote to the segment's two files, which are synced later, a half of the journal at a time. After a power cut redoJournal puts the bytes
// back in their places before recovery looks at the segments; after anything else they are there already.
//
//	file    header | half | half                                                                  each starts at a multiple of 4 KiB
//	header  magic "SLJN" | format u16 | 0 u16 | half's size i64 | crc32c of all before u32
//	record  crc32c of all behind u32 | magic u32 | epoch u64 | segment i64 | data at i64 | index at i64 | data length u32 | index length u32 | data | index
//
// A half is filled with records of one epoch, from its start on; epochs rise and alternate between the halves. A record starts at a multiple
// of 4 KiB, so that writing one cannot tear another.
const (
	journalMagic     = "SLJN"
	journalFormat    = 1
	journalHeader    = 20
	journalRecord    = 48
	journalMark      = 0x4a52_4c53
	journalPage      = 4 << 10
	journalGroup     = 128 << 10 // a larger group is worth two syncs: writing its bytes twice costs more
	journalHalf      = 8 << 20   // some 300 groups of 64 lone senders, synced in the time that the other half takes to fill
	journalPatience  = 64        // small groups before a log makes itself a journal: one that is hardly written needs none
	journalZeroBytes = 256 << 10 // written at a time
)

// journalPlan says when a log makes itself a journal, and of what size.
type journalPlan struct {
	after int   // small groups; negative: never
	half  int64 // bytes, a multiple of journalPage
	group int64 // a larger one is not journaled; smaller than half
}

// usualPlan is a lake's.
func usualPlan() journalPlan { return journalPlan{journalPatience, journalHalf, journalGroup} }

// journal is the writer's side. It is the writer goroutine's own, but for the sync in the background.
type journal struct {
	journalPlan
	disk   Disk
	layout Layout
	waited int    // small groups since it was last tried to make a journal
	file   File   // nil: there is none yet, or it failed
	epoch  uint64 // of the half that is filled now
	at     int64  // where its next record goes, from the half's start
	buf    []byte
	behind chan error // answers once the half before this one is in the segment's files; nil: it is
}

// ready says whether the next small group can go to the journal. It makes one once enough of them have come.
func (j *journal) ready() bool {
	if j.file != nil || j.after < 0 {
		return j.file != nil
	}
	if j.waited++; j.waited <= j.after {
		return false
	}
	j.waited = 0
	if err := j.open(); err != nil {
		j.abandon() // two syncs do as well
		return false
	}
	return true
}

// open takes over the journal that is there, or makes one. Nothing in it is needed any more: every segment but the open one is synced and sealed,
// and of the open one every group.
func (j *journal) open() error {
	path := j.layout.Journal()
	info, err := os.Stat(path)
	if err == nil && info.Size() == journalPage+2*j.half {
		epochs, half, err := readEpochs(path)
		if err == nil && half == j.half {
			if j.file, err = j.disk.OpenWrite(path); err != nil {
				return err
			}
			j.epoch, j.at = max(epochs[0], epochs[1])+1, 0
			return nil
		}
	}
	if err := j.make(path + newSuffix); err != nil {
		return err
	}
	if err := j.disk.Rename(path+newSuffix, path); err != nil {
		return err
	}
	if err := j.disk.SyncDir(j.layout.Raw()); err != nil {
		return err
	}
	j.epoch, j.at = 1, 0
	return nil
}

// make writes a new journal, zeros and all.
func (j *journal) make(path string) error {
	if err := removeIfThere(j.disk, path); err != nil {
		return err
	}
	var err error
	if j.file, err = j.disk.Create(path); err != nil {
		return err
	}
	zeros := make([]byte, min(journalZeroBytes, 2*j.half))
	for at := int64(journalPage); at < journalPage+2*j.half; at += int64(len(zeros)) {
		n := min(int64(len(zeros)), journalPage+2*j.half-at)
		if _, err := j.file.WriteAt(zeros[:n], at); err != nil {
			return err
		}
	}
	head := append(make([]byte, 0, journalPage), journalMagic...)
	head = binary.LittleEndian.AppendUint16(head, journalFormat)
	head = binary.LittleEndian.AppendUint16(head, 0)
	head = binary.LittleEndian.AppendUint64(head, uint64(j.half))
	head = binary.LittleEndian.AppendUint32(head, crc32c(0, head))
	if _, err := j.file.WriteAt(head[:journalPage], 0); err != nil {
		return err
	}
	return j.file.Sync()
}

// abandon closes the journal after a failure. What it holds stays on the disk until it is made anew.
func (j *journal) abandon() {
	if j.file != nil {
		j.file.Close() // what was acknowledged is synced
	}
	j.file, j.waited = nil, 0
}

// write makes one group of the open segment durable: what was written to its data file at dataAt, and to its index at indexAt.
func (j *journal) write(s *openSegment, data, index []byte) error {
	size := int64(journalRecord + len(data) + len(index))
	if j.at+size > j.half {
		if err := j.turn(s); err != nil {
			return err
		}
	}
	j.buf = slices.Grow(j.buf[:0], int(size))
	p := binary.LittleEndian.AppendUint32(append(j.buf, 0, 0, 0, 0), journalMark)
	p = binary.LittleEndian.AppendUint64(p, j.epoch)
	p = binary.LittleEndian.AppendUint64(p, uint64(s.first))
	p = binary.LittleEndian.AppendUint64(p, uint64(s.dataEnd))
	p = binary.LittleEndian.AppendUint64(p, uint64(s.indexEnd))
	p = binary.LittleEndian.AppendUint32(p, uint32(len(data)))
	p = binary.LittleEndian.AppendUint32(p, uint32(len(index)))
	p = append(append(p, data...), index...)
	binary.LittleEndian.PutUint32(p, crc32c(0, p[4:]))
	j.buf = p
	_, err := j.file.WriteAt(p, j.offset(j.epoch)+j.at)
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		j.abandon()
		return fmt.Errorf("write the journal: %w", err)
	}
	j.at += pages(size)
	s.journaled = true
	return nil
}

// pages is the room that a record of so many bytes takes.
func pages(size int64) int64 { return (size + journalPage - 1) / journalPage * journalPage }

// offset is where the half of an epoch starts.
func (j *journal) offset(epoch uint64) int64 { return journalPage + int64(epoch%2)*j.half }

// turn goes on to the other half, once what that one held is in the segments' files, and lets the files of the open one be synced meanwhile.
func (j *journal) turn(s *openSegment) error {
	if err := j.settled(); err != nil {
		return err
	}
	j.epoch, j.at = j.epoch+1, 0
	if s.journaled {
		done := make(chan error, 1)
		j.behind = done
		go func() { done <- s.sync() }()
	}
	return nil
}

// settled waits until no sync runs in the background, and answers how it ended.
func (j *journal) settled() error {
	if j.behind == nil {
		return nil
	}
	err := <-j.behind
	j.behind = nil
	if err != nil {
		return fmt.Errorf("sync what the journal holds: %w", err)
	}
	return nil
}

// sync makes both files of the segment durable, as far as they are written.
func (s *openSegment) sync() error {
	index := make(chan error, 1)
	go func() { index <- s.index.Sync() }()
	return errors.Join(s.data.Sync(), <-index)
}
