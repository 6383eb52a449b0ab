package format

import "github.com/signallake/signallake/lake"

// writer is a program or library that writes JSON lines in a known way. It decides what a number under a name without a unit
// (`duration`) means. The zero value is an unknown one: milliseconds.
type writer struct {
	title   string // "zap"
	latency unit   // of an open latency
}

// ownTitle is the writer of the lake's own lines.
const ownTitle = "SignalLake"

// writers are told by their keys; the first one that fits counts. The units are those of their documentation.
var writers = []struct {
	writer
	keys []string
	more func(line []lake.JSONMember) bool // what the keys alone do not tell; nil: they do
}{
	{writer{ownTitle, unitMilli}, []string{"event_id", "timestamp", "received_at", "service_name"}, nil},
	{writer{"Traefik", unitNanos}, []string{"DownstreamStatus", "RequestPath"}, nil}, // Duration is a Go duration
	{writer{"Caddy", unitSec}, []string{"ts", "logger", "request", "status"}, nil},   // duration is seconds by default
	{writer{"Envoy", unitMilli}, []string{"response_flags", "response_code"}, nil},   // %DURATION% is milliseconds
	{writer{"ECS", unitMilli}, []string{"@timestamp", "ecs.version"}, nil},           // event.duration has its own rule: nanoseconds
	{writer{"zap", unitSec}, []string{"ts", "level", "msg"}, firstIsNumber("ts")},    // EncodeDuration is SecondsDurationEncoder
	{writer{"bunyan", unitMilli}, []string{"v", "level", "pid", "hostname", "time", "msg"}, firstIsNumber("level")},
	{writer{"pino", unitMilli}, []string{"level", "time", "pid", "hostname"}, firstIsNumber("level")}, // responseTime is milliseconds
	{writer{"slog", unitGo}, []string{"time", "level", "msg"}, startsLikeSlog},                        // JSONHandler writes a Duration as nanoseconds
}

// unit is the unit that a rule's numbers have.
func (w writer) unit(r rule) unit {
	if r.field == fieldLatency && r.unit == unitOpen {
		return w.latency
	}
	return r.unit
}

// firstIsNumber says whether the first member called so is a number.
func firstIsNumber(key string) func(line []lake.JSONMember) bool {
	return func(line []lake.JSONMember) bool {
		v, ok := member(line, key)
		return ok && valueOf(v).kind == number
	}
}

// startsLikeSlog: time and level lead, and the level is in capitals.
func startsLikeSlog(line []lake.JSONMember) bool {
	level, _ := member(line, "level")
	return string(line[0].Key) == "time" && string(line[1].Key) == "level" && len(level) > 2 && 'A' <= level[1] && level[1] <= 'Z'
}

func member(line []lake.JSONMember, key string) (v []byte, ok bool) {
	for i := range line {
		if string(line[i].Key) == key {
			return line[i].Value, true
		}
	}
	return nil, false
}

// writerOf finds the writer of a JSON line.
func writerOf(line []lake.JSONMember) writer {
next:
	for i := range writers {
		w := &writers[i]
		for _, key := range w.keys {
			if _, ok := member(line, key); !ok {
				continue next
			}
		}
		if w.more == nil || w.more(line) {
			return w.writer
		}
	}
	return writer{}
}
