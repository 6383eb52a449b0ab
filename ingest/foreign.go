package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/signallake/signallake/lake"
)

// precheck refuses a body before it is decoded: because of its bytes, or because of what its sender says that they mean.
func (d *decoder) precheck(body []byte) error {
	switch {
	case d.unreadable != nil:
		return d.unreadable
	case d.contentType.charset != "" && !isASCII(body):
		return &undecodable{reason: fmt.Sprintf("the Content-Type says charset=%s, and the body is not plain ASCII: send UTF-8", cut(d.contentType.charset, 40))}
	case strings.HasPrefix(d.contentType.name, "multipart/") && bytes.HasPrefix(body, []byte("--")):
		return &undecodable{reason: "not JSON but " + webForm} // the lines of a file in it may well be
	}
	return nil
}

func isASCII(body []byte) bool {
	for _, c := range body {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// notJSON says what a body that is not JSON looks like, where that leads on; else what the parser said of part, its first line or element.
func (d *decoder) notJSON(body, part []byte, err error) string {
	if what := foreign(body, foreignTypes[d.contentType.name]); what != "" {
		return "not JSON but " + what
	}
	if fe := (*lake.FieldError)(nil); errors.As(err, &fe) && fe != errNoObject {
		return fe.Reason
	}
	var syntax *json.SyntaxError
	var v json.RawMessage
	if errors.As(json.Unmarshal(part[:min(len(part), maxShown)], &v), &syntax) && syntax.Offset < maxShown {
		return fmt.Sprintf("not JSON: %s (byte %d)", syntax.Error(), syntax.Offset)
	}
	return err.Error()
}

// maxShown is how far into a body its refusal looks.
const maxShown = 4 << 10

// shipper is the way out for formats that other stores take.
const shipper = "let a shipper such as Vector or Fluent Bit make JSON lines of it"

// foreignTypes are the content types of bodies that need more than their first bytes to be known.
var foreignTypes = map[string]string{
	"application/x-protobuf":                 "protobuf, as OTLP and Prometheus senders use it: " + shipper,
	"application/protobuf":                   "protobuf: " + shipper,
	"application/vnd.google.protobuf":        "protobuf: " + shipper,
	"application/grpc":                       "gRPC: " + shipper,
	"application/msgpack":                    msgpack,
	"application/x-msgpack":                  msgpack,
	"application/vnd.msgpack":                msgpack,
	"application/cbor":                       "CBOR: send JSON",
	"application/x-www-form-urlencoded":      urlencoded,
	"multipart/form-data":                    webForm,
	"application/xml":                        "XML: send JSON",
	"text/xml":                               "XML: send JSON",
	"text/csv":                               "CSV: send one JSON object a line",
	"application/vnd.apache.parquet":         "Parquet: send JSON",
	"application/x-amz-json-1.1":             "a call of an AWS service: send the events alone as JSON lines",
	"application/vnd.elasticsearch+x-ndjson": bulk,
}

const (
	msgpack    = "MessagePack, as fluentd's forward protocol uses it: choose JSON, in Fluent Bit `format json_lines`"
	webForm    = "a form: with curl, send a file by --data-binary @file instead of -F"
	urlencoded = "form fields: with curl, send a file by --data-binary @file"
	bulk       = "an Elasticsearch _bulk request: send its documents without the action lines"
)

// signatures are the first bytes of what is no text.
var signatures = []struct{ magic, is string }{
	{"\xff\xfe\x00\x00", "UTF-32: send UTF-8"},
	{"\x00\x00\xfe\xff", "UTF-32: send UTF-8"},
	{"\xff\xfe", "UTF-16: send UTF-8"},
	{"\xfe\xff", "UTF-16: send UTF-8"},
	{string(gzipMagic), "gzip data, compressed more than twice: compress it once"},
	{string(zstdMagic), "zstd data, compressed more than twice: compress it once"},
	{"BZh", "bzip2 data: compress with gzip or zstd"},
	{"\xfd7zXZ\x00", "xz data: compress with gzip or zstd"},
	{"\x04\x22\x4d\x18", "lz4 data: compress with gzip or zstd"},
	{"\xff\x06\x00\x00sNaPpY", "snappy data: compress with gzip or zstd"},
	{"PK\x03\x04", "a zip archive: send what is in it"},
	{"PAR1", "Parquet: send JSON"},
	{"--", webForm},
	{"%7B", percent}, {"%5B", percent}, {"%7b", percent}, {"%5b", percent},
	{"<!", "HTML or XML: send JSON"}, {"<?xml", "XML: send JSON"}, {"<html", "HTML: send JSON"},
}

const percent = "percent-encoded: with curl, send a file by --data-binary @file instead of --data-urlencode"

// importable is the way out for log lines of a kind that `import` reads.
const importable = "`signallake-tui import` reads such lines, from a file or a pipe"

var (
	syslogLine = regexp.MustCompile(`^<\d{1,3}>`)
	accessLine = regexp.MustCompile(`^\S+ \S+ \S+ \[[^\]\n]{10,40}\] "`) // Apache's and nginx's common format
	logfmtLine = regexp.MustCompile(`^[A-Za-z_@][\w.@-]*=("[^"\n]*"|[^\s"]*) +[A-Za-z_@][\w.@-]*=`)
	formBody   = regexp.MustCompile(`^[\w.\[\]-]+=[^\s&]*%[0-9A-Fa-f]{2}`)
)

// foreign names a body that is not JSON by how it starts or by what its sender says of it, with the way out; "" when it is nothing that is
// known.
func foreign(body []byte, said string) string {
	for _, s := range signatures {
		if bytes.HasPrefix(body, []byte(s.magic)) {
			return s.is
		}
	}
	raw := body[:min(len(body), maxShown)]
	start := bytes.TrimLeft(raw, " \t\r\n")
	switch bracket := len(start) > 0 && (start[0] == '{' || start[0] == '['); {
	case said != "" && said != urlencoded && !bracket:
		return said
	case isUTF16(raw):
		return "UTF-16: send UTF-8"
	case isMsgpack(raw):
		return msgpack
	case isZlib(raw):
		return "zlib data (HTTP's deflate): compress with gzip or zstd"
	case !bracket && isBinary(raw):
		return fmt.Sprintf("binary data that starts with %s: send JSON, one object a line", firstBytes(raw))
	case syslogLine.Match(start):
		return "syslog lines: " + shipper
	case accessLine.Match(start):
		return "an access log: " + importable
	case formBody.Match(start):
		return urlencoded
	case logfmtLine.Match(start):
		return "logfmt: " + importable
	case !bracket && bytes.IndexByte(start, '=') > 0:
		return said // form fields, if anything
	}
	return ""
}

// isUTF16 tells JSON in UTF-16 without a mark: every other byte of its ASCII is zero.
func isUTF16(p []byte) bool {
	return len(p) >= 4 && (p[0] == 0 && p[1] != 0 && p[2] == 0 && p[3] != 0 || p[0] != 0 && p[1] == 0 && p[2] != 0 && p[3] == 0)
}

// isMsgpack tells a small map or array, or one with a length of 16 or 32 bits. No text in UTF-8 starts with these bytes.
func isMsgpack(p []byte) bool {
	return len(p) > 0 && (p[0] >= 0x81 && p[0] <= 0x9f || p[0] >= 0xdc && p[0] <= 0xdf && len(p) > 2 && p[1] < 0x80)
}

// isBinary tells bytes that no text has, terminals' escapes apart.
func isBinary(p []byte) bool {
	return bytes.ContainsFunc(p, func(c rune) bool { return c < ' ' && !strings.ContainsRune("\t\n\v\f\r\b\x1b", c) })
}

// isZlib tells the header of RFC 1950 with one of the usual windows.
func isZlib(p []byte) bool {
	return len(p) > 1 && p[0] == 0x78 && (p[1] == 0x01 || p[1] == 0x5e || p[1] == 0x9c || p[1] == 0xda)
}

// envelopes are the keys of JSON objects that other stores take, each with what it is and the way out. All keys of a row must be there.
var envelopes = []struct {
	keys   []string
	only   bool // there is no other key
	is     string
	wayOut string
}{
	{[]string{"streams"}, true, "a push to Loki", shipper},
	{[]string{"resourceLogs"}, false, "an OTLP export", shipper},
	{[]string{"resourceSpans"}, false, "an OTLP export of traces", "only events are taken"},
	{[]string{"resourceMetrics"}, false, "an OTLP export of metrics", "only events are taken"},
	{[]string{"index"}, true, "an action line of an Elasticsearch _bulk request", "send the documents alone"},
	{[]string{"create"}, true, "an action line of an Elasticsearch _bulk request", "send the documents alone"},
	{[]string{"update"}, true, "an action line of an Elasticsearch _bulk request", "send the documents alone"},
	{[]string{"delete"}, true, "an action line of an Elasticsearch _bulk request", "send the documents alone"},
	{[]string{"event", "sourcetype"}, false, "an event of Splunk's HTTP collector", "send what stands in its event"},
	{[]string{"event", "time"}, false, "an event of Splunk's HTTP collector", "send what stands in its event"},
	{[]string{"event"}, true, "an event of Splunk's HTTP collector", "send what stands in its event"},
	{[]string{"short_message", "host"}, false, "a GELF message", shipper},
	{[]string{"ddsource"}, false, "a log for Datadog", "rename its keys to those of /docs"},
	{[]string{"ddtags"}, false, "a log for Datadog", "rename its keys to those of /docs"},
	{[]string{"logStreamNames"}, false, "a CloudWatch request", "send its log events alone"},
	{[]string{"logEvents"}, false, "a batch for CloudWatch", "send its log events alone"},
	{[]string{"Records"}, true, "a list under a key", "send the list alone"},
	{[]string{"events"}, true, "a list under a key", "send the list alone"},
	{[]string{"logs"}, true, "a list under a key", "send the list alone"},
}

// otherNames are what other programs call the two fields that every event must have.
var otherNames = map[string][]string{
	"timestamp":    {"@timestamp", "time", "ts", "date", "datetime", "eventTime", "Timestamp", "t", "timeUnixNano", "_time"},
	"service_name": {"service", "app", "application", "serviceName", "service.name", "logger", "job", "container_name", "tag", "program", "source"},
}

// hint adds to a refusal of an object, of which a required field is missing, what the object seems to be or to call it.
func hint(object []byte, err error) error {
	var refused *lake.FieldError
	if !errors.As(err, &refused) || otherNames[refused.Field] == nil || len(object) == 0 || object[0] != '{' {
		return err
	}
	var room [24]lake.JSONMember
	members, walkErr := lake.JSONMembers(room[:0], object)
	if walkErr != nil {
		return err
	}
	has := func(key string) bool {
		return slices.ContainsFunc(members, func(m lake.JSONMember) bool { return string(m.Key) == key })
	}
	if has(refused.Field) { // it is there, and something else is wrong with it
		return err
	}
	for _, e := range envelopes {
		if (!e.only || len(members) == len(e.keys)) && !slices.ContainsFunc(e.keys, func(key string) bool { return !has(key) }) {
			return &lake.FieldError{Field: refused.Field, Reason: fmt.Sprintf("%s: the object is %s; %s", refused.Reason, e.is, e.wayOut)}
		}
	}
	for _, name := range otherNames[refused.Field] {
		if has(name) {
			return &lake.FieldError{Field: refused.Field, Reason: fmt.Sprintf("%s; the object has %q: rename it to %s", refused.Reason, name, refused.Field)}
		}
	}
	return err
}
