package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc64"
	"os"
	"path/filepath"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/gen"
)

const (
	// mostGenerated bounds how many events are written to a file: a gigabyte goes to the page cache before the kernel slows its writers down to the disk's pace.
	mostGenerated = 2_000_000
	// encoderEvents bounds how many the Encoder writes: its time for an event does not depend on their number.
	encoderEvents = 1_000_000
	// writeBytes is how much of the generator's output is held in memory to be written by the plain write, again and again.
	writeBytes = 64 << 20
	// writeSize is the size of one plain write. Larger ones are no faster, and far slower where the kernel finds no free memory in one piece.
	writeSize = 1 << 20
)

// measureGenerate has the generator, the standard library's Encoder and plain writes fill a file each, in turns.
func measureGenerate(ctx context.Context, c *corpus, o *outcome) error {
	m := &generating{corpus: c, cfg: c.config(), table: crc64.MakeTable(crc64.ECMA)}
	m.cfg.Count = min(c.events, mostGenerated)
	m.scale = float64(c.events) / float64(m.cfg.Count)
	m.encoded = min(m.cfg.Count, encoderEvents)
	if err := m.prepare(ctx); err != nil {
		return err
	}
	samples, err := c.turns(ctx, nil, way{"generate", m.ours}, way{"encode", m.encoder}, way{"write", m.plain})
	if err != nil {
		return err
	}
	f := o.add("generate", samples[0], samples[1]).equal(m.ourSum == m.encoderSum)
	f.note("%d bytes an event; to the page cache, without fsync, on all sides; the generator writes what %d goroutines make and asks for disk space %d MiB ahead, the others just write",
		m.size/m.cfg.Count, lake.Processors(), gen.SpaceAhead>>20)
	if m.encoded < c.events {
		f.note("generated and written were %d events, by the Encoder %d; the times are for all of them, in proportion", m.cfg.Count, m.encoded)
	}
	o.add("generate-write", samples[0], samples[2]).equal(m.written == m.size).note("the generator's first %d MiB, written again and again, %d MiB at a time, until as many bytes are there", writeBytes>>20, writeSize>>20)
	return nil
}

// generating is that stage at work.
type generating struct {
	*corpus
	cfg                gen.Config
	scale              float64 // from its events to the corpus's
	encoded            int64   // events that the Encoder writes
	table              *crc64.Table
	size, written      int64  // of the generator's file; of the plain one's
	ourSum, encoderSum uint64 // of the encoded events' lines
	head               []byte // the first writeBytes of the output
	batch              []lake.Event
	out                bytes.Buffer // what the Encoder wrote of a batch
}

// prepare makes everything once: its size, its sum, and the bytes for the plain write.
func (g *generating) prepare(ctx context.Context) error {
	rest := g.encoded
	return generate(ctx, g.cfg, func(b lake.Batch) error {
		g.size += int64(len(b.Lines))
		if room := writeBytes - len(g.head); room > 0 {
			g.head = append(g.head, b.Lines[:min(room, len(b.Lines))]...)
		}
		if rest > 0 {
			g.ourSum = crc64.Update(g.ourSum, g.table, firstN(b.Lines, &rest))
		}
		return nil
	})
}

// toFile times work that fills a new file, which is gone afterwards.
func (g *generating) toFile(work func(f *os.File) error) (took time.Duration, err error) {
	f, err := os.Create(filepath.Join(g.dir, "generated.jsonl"))
	if err != nil {
		return 0, err
	}
	started := time.Now()
	err = work(f)
	took = time.Since(started)
	return took, errors.Join(err, f.Close(), os.Remove(f.Name()))
}

func (g *generating) ours(ctx context.Context, _ int) (float64, error) {
	took, err := g.toFile(func(f *os.File) error {
		generator, err := gen.New(g.cfg)
		if err != nil {
			return err
		}
		size, err := generator.Fill(ctx, 0, f)
		if err == nil && size != g.size {
			err = fmt.Errorf("wrote %d bytes of %d", size, g.size)
		}
		return err
	})
	return milliseconds(took) * g.scale, err
}

func (g *generating) plain(ctx context.Context, _ int) (float64, error) {
	g.written = 0
	took, err := g.toFile(func(f *os.File) error {
		for g.written < g.size && ctx.Err() == nil {
			at := int(g.written % int64(len(g.head)))
			n, err := f.Write(g.head[at:min(len(g.head), at+writeSize, at+int(min(g.size-g.written, writeSize)))])
			if g.written += int64(n); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
	return milliseconds(took) * g.scale, err
}

// encodedEvent is an event as encoding/json is told to write it: the canonical line's keys in their order.
type encodedEvent struct {
	EventID     string          `json:"event_id"`
	Timestamp   string          `json:"timestamp"`
	ReceivedAt  string          `json:"received_at"`
	ServiceName string          `json:"service_name"`
	Endpoint    string          `json:"endpoint,omitempty"`
	Method      string          `json:"method,omitempty"`
	StatusCode  int32           `json:"status_code"`
	LatencyMS   *float64        `json:"latency_ms,omitempty"`
	Region      string          `json:"region,omitempty"`
	Host        string          `json:"host,omitempty"`
	Level       string          `json:"level,omitempty"`
	Message     string          `json:"message,omitempty"`
	RequestID   string          `json:"request_id,omitempty"`
	TraceID     string          `json:"trace_id,omitempty"`
	SpanID      string          `json:"span_id,omitempty"`
	Attributes  json.RawMessage `json:"attributes,omitempty"`
}

const encodedInstant = "2006-01-02T15:04:05.000000Z"

// set takes an event over, strings and all; attributes are bytes for encoding/json.
func (e *encodedEvent) set(v *lake.Event) {
	*e = encodedEvent{EventID: v.EventID, Timestamp: v.Timestamp.Time().Format(encodedInstant), ReceivedAt: v.ReceivedAt.Time().Format(encodedInstant), ServiceName: v.ServiceName,
		Endpoint: v.Endpoint, Method: v.Method, StatusCode: v.StatusCode, Region: v.Region, Host: v.Host, Level: v.Level, Message: v.Message, RequestID: v.RequestID,
		TraceID: v.TraceID, SpanID: v.SpanID, Attributes: json.RawMessage(v.Attributes)}
	if v.HasLatency {
		e.LatencyMS = &v.LatencyMS
	}
}

// encoder times encoding/json for the same events, which are there as values before the clock runs: a batch at a time, so that memory does not decide.
func (g *generating) encoder(ctx context.Context, _ int) (float64, error) {
	rest, sum := g.encoded, uint64(0)
	var took time.Duration
	var scanner lake.Scanner
	_, err := g.toFile(func(f *os.File) error {
		return generate(ctx, g.cfg, func(b lake.Batch) error {
			if rest <= 0 {
				return errEnough
			}
			g.batch = g.batch[:0]
			for line := range bytes.Lines(firstN(b.Lines, &rest)) {
				var e lake.Event
				if err := scanner.Scan(line, &e); err != nil {
					return fmt.Errorf("scan what was generated: %w", err)
				}
				g.batch = append(g.batch, e)
			}
			g.out.Reset()
			started := time.Now()
			if err := g.encode(); err != nil {
				return err
			}
			if _, err := f.Write(g.out.Bytes()); err != nil {
				return err
			}
			took += time.Since(started)
			sum = crc64.Update(sum, g.table, g.out.Bytes())
			return nil
		})
	})
	if err != nil && !errors.Is(err, errEnough) {
		return 0, err
	}
	g.encoderSum = sum
	return milliseconds(took) * float64(g.events) / float64(g.encoded), nil
}

func (g *generating) encode() error {
	encoder := json.NewEncoder(&g.out)
	encoder.SetEscapeHTML(false)
	var e encodedEvent
	for i := range g.batch {
		e.set(&g.batch[i])
		if err := encoder.Encode(&e); err != nil {
			return err
		}
	}
	return nil
}
