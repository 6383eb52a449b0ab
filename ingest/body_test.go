package ingest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// JSON is taken whatever the content type says, also when it says nothing.
func TestContentTypeDoesNotMatterToJSON(t *testing.T) {
	b := start(t, nil)
	for _, ct := range []string{
		"", "application/json", "application/json; charset=utf-8", "application/x-ndjson", "application/jsonl", "application/x-json-stream", "application/stream+json", "text/plain",
		"text/plain;charset=US-ASCII", "application/x-www-form-urlencoded", "multipart/form-data", "application/x-protobuf", "application/msgpack", "no type;;=", "application/octet-stream",
	} {
		for _, path := range []string{"/ingest", "/ingest/batch"} {
			if a := b.do("POST", path, event("e", ""), "Content-Type", ct); a.status != 200 || a.json["accepted"] != 1.0 {
				t.Errorf("%s %q: %d %s", path, ct, a.status, a.text)
			}
			b.wantStored(stored(t, event("e", "")))
		}
	}
}

// A charset that is not UTF-8 matters where the body has more than ASCII: its letters would become others.
func TestCharset(t *testing.T) {
	b := start(t, nil)
	for _, c := range []struct {
		ct, body string
		status   int
	}{
		{"application/json; charset=ISO-8859-1", event("e", ""), 200},
		{"application/json; charset=ISO-8859-1", event("e", `,"message":"caf`+"\xe9"+`"`), 400},
		{"application/json; charset=ISO-8859-1", event("e", `,"message":"café"`), 400},
		{"application/json; charset=UTF-8", event("e", `,"message":"café"`), 200},
		{"application/json; charset=\"utf8\"", event("e", `,"message":"café"`), 200},
	} {
		for _, path := range []string{"/ingest", "/ingest/batch"} {
			a := b.do("POST", path, c.body, "Content-Type", c.ct)
			if a.status != c.status || c.status == 400 && !strings.Contains(a.text, "charset=iso-8859-1, and the body is not plain ASCII: send UTF-8") {
				t.Errorf("%s %s: %d %s", path, c.ct, a.status, a.text)
			}
			if kept := len(b.log.takeLetters()); (kept == 1) != (c.status == 400) {
				t.Errorf("%s %s: %d letters", path, c.ct, kept)
			}
			b.log.take()
		}
	}
}

// Compressed bodies are taken, told or not, once or twice.
func TestContentEncoding(t *testing.T) {
	b := start(t, nil)
	one := event("e", "")
	gz, zs := pack(t, gzipped, one), pack(t, zstandard, one)
	for _, c := range []struct{ encoding, body string }{
		{"gzip", gz}, {"x-gzip", gz}, {"GZIP", gz}, {" gzip ", gz}, {"zstd", zs}, {"", gz}, {"identity", zs}, {"Identity", one}, {"identity, gzip", gz},
		{"gzip, zstd", pack(t, zstandard, gz)}, {"gzip,gzip", pack(t, gzipped, gz)}, {"zstd", pack(t, zstandard, gz)},
	} {
		for _, path := range []string{"/ingest", "/ingest/batch"} {
			if a := b.do("POST", path, c.body, "Content-Encoding", c.encoding); a.status != 200 || a.json["accepted"] != 1.0 {
				t.Errorf("%s %q: %d %s", path, c.encoding, a.status, a.text)
			}
			b.wantStored(stored(t, one))
		}
	}
	a := b.do("POST", "/ingest", pack(t, zstandard, gz), "Content-Encoding", "gzip", "Content-Encoding", "zstd")
	if a.status != 200 {
		t.Errorf("two headers: %d %s", a.status, a.text)
	}
	b.wantStored(stored(t, one))
	for _, encoding := range []string{"deflate", "br", "snappy", "identity, br", "gzip, gzip, gzip", "gzip;q=1", strings.Repeat("x", 10_000)} {
		a := b.do("POST", "/ingest/batch", one, "Content-Encoding", encoding)
		if a.status != 415 || a.header.Get("Accept-Encoding") != "gzip, zstd, identity" || !strings.Contains(a.text, "with gzip or zstd") || len(a.text) > 300 {
			t.Errorf("%.40s: %d %s", encoding, a.status, a.text)
		}
		b.wantStored()
	}
}

// Packed bytes that cannot be read are refused with the reason, and kept as they came.
func TestDamagedBodiesAreKept(t *testing.T) {
	b := start(t, func(c *Config) { c.MaxBodyBytes = 1 << 20 })
	gz := pack(t, gzipped, event("e", ""))
	for _, path := range []string{"/ingest", "/ingest/batch"} {
		for _, c := range []struct{ body, want string }{
			{gz[:40], "the gzip data is cut off after 40 bytes"},
			{event("e", ""), `Content-Encoding says gzip, and the body starts with`},
		} {
			a := b.do("POST", path, c.body, "Content-Encoding", "gzip")
			letters := b.log.takeLetters()
			if text, _ := a.json["reason"].(string); a.status != 400 || !strings.Contains(text, c.want) || len(letters) != 1 || string(letters[0].Text) != c.body {
				t.Errorf("%s: %d %s, %d letters", path, a.status, a.text, len(letters))
			}
		}
		for encoding, want := range map[string]string{"gzip": "1048576 bytes after decompression", "": "the limit is 1048576 bytes"} {
			body := strings.Repeat(" ", 2<<20)
			if encoding != "" {
				body = pack(t, gzipped, body)
			}
			a := b.do("POST", path, body, "Content-Encoding", encoding)
			if a.status != 413 || !strings.Contains(a.text, want) || len(b.log.takeLetters()) != 0 {
				t.Errorf("%s %q: %d %s", path, encoding, a.status, a.text)
			}
		}
		if a := b.do("POST", path, "", "Content-Encoding", "gzip"); a.status != 400 || !strings.Contains(a.text, "the body is empty") {
			t.Errorf("%s, nothing: %d %s", path, a.status, a.text)
		}
	}
	b.wantStored()
}

// The bytes that are counted are those that came over the wire.
func TestBytesOfCompressedBodies(t *testing.T) {
	b := start(t, nil)
	gz := pack(t, gzipped, strings.Repeat(event("e", "")+"\n", 100))
	if a := b.do("POST", "/ingest/batch", gz, "Content-Encoding", "gzip"); a.status != 200 || a.json["accepted"] != 100.0 {
		t.Fatalf("%d %s", a.status, a.text)
	}
	eventually(t, "the request is in the log", func() bool { return len(b.out.lines()) == 1 })
	var line struct{ Bytes, Events int }
	if err := json.Unmarshal([]byte(b.out.lines()[0]), &line); err != nil || line.Bytes != len(gz) || line.Events != 100 {
		t.Errorf("%+v %v, want %d bytes", line, err, len(gz))
	}
}

// Bodies for other stores are refused with what they are and a way out, and kept.
func TestForeignBodies(t *testing.T) {
	b := start(t, nil)
	for _, c := range []struct {
		what, contentType, body string
		status                  int
		reason                  string
	}{
		{"curl -F", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\n{}\r\n--x--", 400, "a form: with curl, send a file by --data-binary @file instead of -F"},
		{"curl --data-urlencode", "application/x-www-form-urlencoded", "%7B%22a%22%3A1%7D", 400, "percent-encoded"},
		{"form fields", "application/x-www-form-urlencoded", "payload=%7B%7D&x=1", 400, "form fields"},
		{"a control character in JSON", "application/json", `{"timestamp":1795247999,"service_name":"a","message":"a` + "\x01" + `b"}`, 400, "the event is no valid JSON"},
		{"form fields without escapes", "application/x-www-form-urlencoded", "a=b&c=d", 400, "form fields"},
		{"a word sent by curl -d", "application/x-www-form-urlencoded", "hello", 400, "not JSON: invalid character 'h'"},
		{"OTLP", "application/x-protobuf", "\x0a\x9a\x01\x0a\x20\x0a\x1e\x0a\x0cservice.name\x12\x0e\x0a\x0ccheckout", 400, "protobuf, as OTLP and Prometheus senders use it"},
		{"OTLP, untold", "", "\x0a\x9a\x01\x0a\x20\x0a\x1e\x0a\x0cservice.name\x12\x0e\x0a\x0ccheckout", 400, "binary data that starts with the bytes 0a 9a 01 0a"},
		{"OTLP without binary bytes", "application/x-protobuf", "abc", 400, "protobuf, as OTLP and Prometheus senders use it: let a shipper such as Vector or Fluent Bit"},
		{"fluentd's forward", "application/msgpack", "\x93\xa3tag\xce\x65\x00\x00\x00\x81\xa3msg\xa2hi", 400, "MessagePack"},
		{"fluentd's forward, untold", "", "\x92\xce\x65\x00\x00\x00\x81\xa3msg\xa2hi", 400, "choose JSON, in Fluent Bit `format json_lines`"},
		{"syslog", "text/plain", "<34>1 2026-11-21T06:33:10Z host su - ID47 - 'su root' failed\n<34>1 -", 400, "syslog lines"},
		{"an access log", "text/plain", `127.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "GET / HTTP/1.1" 200 5` + "\n", 400, "`signallake-tui import` reads such lines"},
		{"logfmt", "", "level=info msg=\"a b\" took=1ms\n", 400, "logfmt: `signallake-tui import`"},
		{"XML", "text/xml", "<?xml version=\"1.0\"?><a/>", 400, "XML"},
		{"UTF-16", "application/json", "\xff\xfe{\x00}\x00", 400, "UTF-16: send UTF-8"},
		{"UTF-16 without a mark", "application/json", "{\x00\"\x00a\x00", 400, "UTF-16"},
		{"UTF-16, the other way", "application/json", "\x00{\x00\"\x00a", 400, "UTF-16"},
		{"zlib", "", "\x78\x9c\x4b\x4c\x4a\x06\x00", 400, "zlib data (HTTP's deflate)"},
		{"bzip2", "", "BZh91AY", 400, "bzip2"},
		{"CSV", "text/csv", "a,b\n1,2\n", 400, "CSV: send one JSON object a line"},
		{"a stack trace", "", "java.lang.Error\n\tat a.b", 400, "not JSON: invalid character 'j'"},
		{"Loki", "application/json", `{"streams":[{"stream":{"app":"a"},"values":[["1795242790000000000","line"]]}]}`, 422, "a push to Loki"},
		{"OTLP/JSON", "application/json", `{"resourceLogs":[{"resource":{}}]}`, 422, "an OTLP export"},
		{"Splunk HEC", "application/json", `{"time":1795242790,"event":{"a":1},"sourcetype":"_json"}`, 422, "an event of Splunk's HTTP collector; send what stands in its event"},
		{"_bulk", "application/x-ndjson", `{"index":{"_index":"logs"}}`, 422, "an action line of an Elasticsearch _bulk request; send the documents alone"},
		{"GELF", "application/json", `{"version":"1.1","host":"h","short_message":"m"}`, 422, "GELF"},
		{"another name", "application/json", `{"@timestamp":"2026-11-21T07:59:59Z","service_name":"a"}`, 422, `the object has "@timestamp": rename it to timestamp`},
		{"another name for the service", "application/json", `{"timestamp":"2026-11-21T07:59:59Z","app":"a"}`, 422, `the object has "app": rename it to service_name`},
		{"nothing to go by", "application/json", `{"timestamp":"2026-11-21T07:59:59Z","x":"a"}`, 422, `"reason":"is missing"`},
		{"null", "application/json", `{"timestamp":null,"service_name":"a","time":1}`, 422, `"reason":"is missing"`},
	} {
		for _, path := range []string{"/ingest", "/ingest/batch"} {
			a := b.do("POST", path, c.body, "Content-Type", c.contentType)
			if text := strings.ReplaceAll(a.text, `\"`, `"`); a.status != c.status || !strings.Contains(text, c.reason) {
				t.Errorf("%s, %s: %d %s\nwant %d %s", path, c.what, a.status, a.text, c.status, c.reason)
			}
			letters := b.log.takeLetters()
			if len(letters) != 1 || !strings.Contains(string(letters[0].Text), strings.TrimSpace(c.body)) {
				t.Errorf("%s, %s: %d letters, or another text", path, c.what, len(letters))
			}
			b.wantStored()
		}
	}
}

// An Elasticsearch _bulk body whose documents fit the contract: they are stored, and its action lines are told apart.
func TestBulkBodies(t *testing.T) {
	b := start(t, nil)
	body := `{"index":{"_index":"logs"}}` + "\n" + event("e1", "") + "\n" + `{"create":{}}` + "\n" + event("e2", "") + "\n"
	a := b.do("POST", "/ingest/batch", body)
	if a.status != 200 || a.json["accepted"] != 2.0 || strings.Count(a.text, "action line") != 2 {
		t.Errorf("%d %s", a.status, a.text)
	}
	b.wantStored(stored(t, event("e1", "")), stored(t, event("e2", "")))
}

// Many requests with compressed bodies at once: each gets its own.
func TestCompressedBodiesDoNotMix(t *testing.T) {
	b := start(t, nil)
	const senders, each = 8, 20
	failed := make(chan string, senders)
	for n := range senders {
		go func() {
			for i := range each {
				id := fmt.Sprintf("e-%d-%d", n, i)
				body := pack(t, coding(i%2), strings.Repeat(event(id, "")+"\n", 1+n*50))
				resp, err := http.Post(b.url+"/ingest/batch", "", strings.NewReader(body))
				if err != nil {
					failed <- err.Error()
					return
				}
				if a := readAnswer(t, resp); a.status != 200 || a.json["accepted"] != float64(1+n*50) {
					failed <- a.text
					return
				}
			}
			failed <- ""
		}()
	}
	for range senders {
		if text := <-failed; text != "" {
			t.Error(text)
		}
	}
	for _, batch := range b.log.take() {
		lines := strings.Split(strings.TrimSuffix(string(batch.Lines), "\n"), "\n")
		for _, line := range lines {
			if line != lines[0] {
				t.Fatalf("%s\nis beside\n%s", line, lines[0])
			}
		}
	}
}
