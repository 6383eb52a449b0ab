package format

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// field is a field of the contract that a key of a line may fill.
type field uint8

const (
	noField field = iota
	fieldEventID
	fieldTimestamp
	fieldService
	fieldEndpoint
	fieldMethod
	fieldStatus
	fieldLatency
	fieldRegion
	fieldHost
	fieldLevel
	fieldMessage
	fieldRequestID
	fieldTraceID
	fieldSpanID
	fieldCount
)

// contractKeys are the contract's names of the fields, in the order in which they are written.
var contractKeys = [fieldCount]string{"", "event_id", "timestamp", "service_name", "endpoint", "method", "status_code", "latency_ms", "region", "host",
	"level", "message", "request_id", "trace_id", "span_id"}

// unit is that of a number; of a latency it is the power of ten that makes milliseconds of it.
type unit int8

const (
	unitOpen  unit = 100 // the writer of the lines decides, see writers
	unitGo    unit = 101 // Go's time.Duration as a JSON number: whole numbers are ns, anything else is ms
	unitNanos unit = -6
	unitMicro unit = -3
	unitMilli unit = 0
	unitSec   unit = 3
)

// unitNames are the units as --map and the Detection write them.
var unitNames = map[string]unit{"ns": unitNanos, "us": unitMicro, "ms": unitMilli, "s": unitSec}

func (u unit) String() string {
	for name, known := range unitNames {
		if known == u {
			return name
		}
	}
	if u == unitGo {
		return "whole numbers ns, others ms"
	}
	return "by magnitude"
}

// rule says what becomes of a key's value.
type rule struct {
	field field // noField: an attribute
	unit  unit
	rank  uint8 // of two keys for one field the lower one wins, the other one becomes an attribute
	guess bool  // the name is used for other things too: a value that does not fit makes it an attribute and refuses nothing
}

// nameRule is a row of the table of names. Names are compared without case, '_' and '-': statusCode is status_code. A dot leads into a
// nested object, or stands in the key itself.
type nameRule struct {
	field field
	unit  unit
	guess bool
	names string
}

// names is what keys are taken for, best first: of two names of one field in one line the first one here wins.
//
// There is no `id`: it mostly names an order or a user, and an event_id that is no event's would call different events the same. There is
// no `logger`, which names a class, no `name`, and no `zone`, which is narrower than a region. All of them can be had with a map.
var names = []nameRule{
	{field: fieldEventID, guess: true, names: "event_id"}, // a number is Windows' kind of event
	{field: fieldTimestamp, names: "timestamp @timestamp time ts datetime eventTime time_local time_iso8601 start_time StartUTC asctime @t timeUnixNano msec requestReceivedTimestamp __REALTIME_TIMESTAMP"},
	{field: fieldTimestamp, guess: true, names: "date t t.$date created_at logged_at"},
	{field: fieldService, names: "service_name service service.name app app_name application resource.service.name resource.attributes.service.name " +
		"kubernetes.labels.app.kubernetes.io/name kubernetes.labels.app kubernetes.container_name kubernetes.container.name k8s.container.name " +
		"container_name container.name container SYSLOG_IDENTIFIER"},
	{field: fieldEndpoint, names: "endpoint path uri request_uri url url.path http.route route http.target url.original url.full http.url request.uri request.url req.url " +
		"RequestPath :path httpRequest.requestUrl"},
	{field: fieldMethod, names: "method http_method request_method verb http.request.method http.method request.method req.method httpRequest.requestMethod"},
	{field: fieldStatus, names: "status_code http_status http_status_code response_code response_status http.response.status_code http.status_code " +
		"response.status_code response.status res.statusCode DownstreamStatus httpRequest.status responseStatus.code"},
	{field: fieldStatus, guess: true, names: "status code"},
	{field: fieldLatency, unit: unitMilli, names: "latency_ms duration_ms elapsed_ms response_time_ms request_time_ms took_ms duration_millis latency_millis elapsed_millis " +
		"took time_taken http.duration_ms"},
	{field: fieldLatency, unit: unitSec, names: "request_time rt duration_s duration_sec duration_seconds latency_s latency_seconds elapsed_s elapsed_seconds " +
		"response_time_s response_time_seconds request_time_s"},
	{field: fieldLatency, unit: unitMicro, names: "duration_us latency_us elapsed_us response_time_us duration_micros latency_micros elapsed_micros"},
	{field: fieldLatency, unit: unitNanos, names: "duration_ns latency_ns elapsed_ns response_time_ns duration_nanos latency_nanos elapsed_nanos"},
	{field: fieldLatency, unit: unitNanos, names: "event.duration"},
	{field: fieldLatency, unit: unitOpen, names: "duration dur latency elapsed elapsed_time response_time request_duration http.duration httpRequest.latency"},
	{field: fieldRegion, names: "region cloud.region aws_region"},
	{field: fieldHost, names: "host hostname host.name host.hostname server server_name vhost kubernetes.host request.host RequestHost"},
	{field: fieldLevel, names: "level severity lvl log_level log.level severity_text levelname @l"},
	{field: fieldLevel, guess: true, names: "PRIORITY"}, // journald's; elsewhere "high"
	{field: fieldMessage, guess: true, names: "message msg event log body short_message @m @mt textPayload jsonPayload.message"},
	{field: fieldRequestID, names: "request_id req_id rid x_request_id correlation_id http.request.id request.id req.id trace.request_id"},
	{field: fieldTraceID, names: "trace_id trace.id dd.trace_id otelTraceID"},
	{field: fieldTraceID, guess: true, names: "trace"}, // often a stack's
	{field: fieldSpanID, names: "span_id span.id dd.span_id otelSpanID"},
	{field: fieldSpanID, guess: true, names: "span"},
}

// fold makes names comparable.
func fold(dst, name []byte) []byte {
	for _, c := range name {
		switch {
		case c == '_' || c == '-':
			continue
		case 'A' <= c && c <= 'Z':
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}

// builtin is names by folded name; builtinPrefix holds the folded paths that lead to one.
var builtin, builtinPrefix = func() (map[string]rule, map[string]bool) {
	rules, prefixes := map[string]rule{}, map[string]bool{}
	var rank [fieldCount]uint8
	for _, row := range names {
		for name := range strings.FieldsSeq(row.names) {
			folded := string(fold(nil, []byte(name)))
			rank[row.field]++
			if _, known := rules[folded]; known {
				continue
			}
			r := rule{field: row.field, unit: row.unit, guess: row.guess, rank: rank[row.field]}
			if row.field != fieldLatency {
				r.unit = unitOpen
			}
			rules[folded] = r
			addPrefixes(prefixes, folded)
		}
	}
	return rules, prefixes
}()

func addPrefixes(set map[string]bool, path string) {
	for i := range len(path) {
		if path[i] == '.' && i > 0 {
			set[path[:i]] = true
		}
	}
}

// keyInfo is what is known about one key of the lines.
type keyInfo struct {
	rule
	user    bool // from the user's map
	descend bool // an object under this key may hold a field
}

// keyBook finds the rule of a key. It remembers the keys it was asked for: logs have few different ones.
type keyBook struct {
	user       map[string]rule // by exact path
	userPrefix map[string]bool
	access     bool // the tail of an access log: only some fields may come from there
	writer     writer
	known      map[string]keyInfo
	folded     []byte
}

// maxKnownKeys bounds the memory for lines that make up keys.
const maxKnownKeys = 4096

func newKeyBook(userMap map[string]string, kind Kind, w writer) keyBook {
	b := keyBook{user: map[string]rule{}, userPrefix: map[string]bool{}, access: kind == Access, writer: w, known: map[string]keyInfo{}}
	for key, to := range userMap {
		b.user[key], _ = parseTarget(to) // CheckMap has refused bad ones
		addPrefixes(b.userPrefix, key)
	}
	return b
}

// find returns the rule of the key at a path; the rule of an unknown key is an attribute.
func (b *keyBook) find(path []byte) keyInfo {
	if info, ok := b.known[string(path)]; ok {
		return info
	}
	info := b.look(path)
	if len(b.known) < maxKnownKeys {
		b.known[string(path)] = info
	}
	return info
}

func (b *keyBook) look(path []byte) keyInfo {
	b.folded = fold(b.folded[:0], path)
	info := keyInfo{descend: b.userPrefix[string(path)] || builtinPrefix[string(b.folded)]}
	if r, ok := b.user[string(path)]; ok {
		info.rule, info.user = r, true
		info.unit = b.writer.unit(r)
		return info
	}
	r, ok := builtin[string(b.folded)]
	if !ok || b.access && !fromTail(r.field) {
		return info
	}
	info.rule = r
	info.unit = b.writer.unit(r)
	return info
}

// fromTail says whether a field of an access line may come from what stands behind its known part.
func fromTail(f field) bool {
	switch f {
	case fieldLatency, fieldService, fieldRegion, fieldHost, fieldRequestID, fieldTraceID, fieldSpanID:
		return true
	}
	return false
}

// attributeTarget is what a map says to keep a key from being taken for a field.
const attributeTarget = "attributes"

// CheckMap checks a Config.Map: each value is a key of the contract, for latency_ms and timestamp with an optional unit of numbers
// (`latency_ms:us`: ns, us, ms or s), or `attributes`, which keeps the key what it is. Keys are the sender's, exactly as they stand; a dot
// leads into a nested object.
func CheckMap(m map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if key == "" {
			return fmt.Errorf("map %s=%s: name the key of the lines, such as --map took=latency_ms:us", key, m[key])
		}
		if _, err := parseTarget(m[key]); err != nil {
			return fmt.Errorf("map %s=%s: %w", key, m[key], err)
		}
	}
	return nil
}

// parseTarget reads what a map's value says.
func parseTarget(to string) (rule, error) {
	name, suffix, hasUnit := strings.Cut(to, ":")
	if name == attributeTarget && !hasUnit {
		return rule{}, nil
	}
	f := field(slices.Index(contractKeys[1:], name) + 1)
	if f == noField {
		return rule{}, fmt.Errorf("no key of an event is called %q: want one of %s, or %s", name, strings.Join(contractKeys[1:], ", "), attributeTarget)
	}
	r := rule{field: f, unit: unitOpen}
	if !hasUnit {
		return r, nil
	}
	u, known := unitNames[suffix]
	if f != fieldLatency && f != fieldTimestamp {
		return rule{}, fmt.Errorf("only latency_ms and timestamp take a unit, got %q", suffix)
	}
	if !known {
		return rule{}, fmt.Errorf("no unit is called %q: want ns, us, ms or s", suffix)
	}
	r.unit = u
	return r, nil
}
