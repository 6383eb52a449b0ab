package format

import "testing"

func TestJSONLines(t *testing.T) {
	check := accepts(t, Config{Kind: JSON, Service: "svc"})
	check(`{"time":"2026-11-21T06:33:10.123456789Z","level":"INFO","msg":"hi","service":"shop"}`,
		`{"timestamp":"2026-11-21T06:33:10.123456Z","service_name":"shop","status_code":0,"region":"unknown","level":"info","message":"hi"}`)
	check(`{"@timestamp":"2026-11-21T06:33:10.123Z","log.level":"error","message":"x","service.name":"my svc","http.response.status_code":503,"event.duration":1500000,"trace.id":"t","url.path":"/p?x","host.name":"h","ecs.version":"1"}`,
		`{"timestamp":"2026-11-21T06:33:10.123000Z","service_name":"my-svc","endpoint":"/p","status_code":503,"latency_ms":1.5,"region":"unknown","host":"h","level":"error","message":"x","trace_id":"t","attributes":{"ecs.version":"1","service.name":"my svc","query":"x"}}`)
	check(`{"@timestamp":"2026-11-21T06:33:10.123Z","log":{"level":"error","logger":"L"},"message":"x","service":{"name":"svc"},"http":{"request":{"method":"GET"},"response":{"status_code":503,"body":{"bytes":5}}},"event":{"duration":1500000,"dataset":"d"},"trace":{"id":"t"},"url":{"path":"/p","query":"x=1"},"host":{"name":"h"},"ecs":{"version":"1"}}`,
		`{"timestamp":"2026-11-21T06:33:10.123000Z","service_name":"svc","endpoint":"/p","method":"GET","status_code":503,"latency_ms":1.5,"region":"unknown","host":"h","level":"error","message":"x","trace_id":"t","attributes":{"log":{"logger":"L"},"http":{"response":{"body":{"bytes":5}}},"event":{"dataset":"d"},"url":{"query":"x=1"},"ecs":{"version":"1"}}}`)
	check(`{"level":30,"time":1795242790123,"pid":1,"hostname":"h","req":{"method":"GET","url":"/a?b=1","headers":{"x":1}},"res":{"statusCode":200},"responseTime":12,"msg":"request completed"}`,
		`{"timestamp":"2026-11-21T06:33:10.123000Z","service_name":"svc","endpoint":"/a","method":"GET","status_code":200,"latency_ms":12,"region":"unknown","host":"h","level":"info","message":"request completed","attributes":{"pid":1,"req":{"headers":{"x":1}},"query":"b=1"}}`)
	check(`{"level":"info","ts":1795242790.5241024,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"1.1.1.1","proto":"HTTP/2.0","method":"GET","host":"localhost","uri":"/x?y","headers":{"A":["b"]}},"duration":0.000929675,"size":10900,"status":200}`,
		`{"timestamp":"2026-11-21T06:33:10.524102Z","service_name":"svc","endpoint":"/x","method":"GET","status_code":200,"latency_ms":0.000929675,"region":"unknown","host":"localhost","level":"info","message":"handled request","attributes":{"logger":"http.log.access","request":{"remote_ip":"1.1.1.1","proto":"HTTP/2.0","headers":{"A":["b"]}},"size":10900,"query":"y"}}`)
	check(`{"ClientAddr":"1.1.1.1:1","Duration":16000,"DownstreamStatus":200,"RequestMethod":"GET","RequestPath":"/","RequestHost":"h","ServiceName":"api@docker","StartUTC":"2026-11-21T06:33:10.1Z","level":"info","msg":"","time":"2026-11-21T06:33:11Z"}`,
		`{"timestamp":"2026-11-21T06:33:11.000000Z","service_name":"api-docker","endpoint":"/","method":"GET","status_code":200,"latency_ms":16000,"region":"unknown","host":"h","level":"info","attributes":{"ClientAddr":"1.1.1.1:1","StartUTC":"2026-11-21T06:33:10.1Z","ServiceName":"api@docker"}}`)
	check(`{"timestamp":"2026-11-21T06:33:10Z","status":"200","latency":"1.2s","service":"A","attributes":{"x":1,"y":2},"x":3,"status_text":"ok"}`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"a","status_code":200,"latency_ms":1200,"region":"unknown","level":"info","attributes":{"x":3,"y":2,"status_text":"ok","service":"A"}}`)
	check(`{"timestamp":"2026-11-21T06:33:10Z","status":"ok","code":7,"id":5,"event_id":4625,"msg":{"a":1},"message":"m"}`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","status_code":0,"region":"unknown","level":"info","message":"m","attributes":{"status":"ok","code":7,"id":5,"event_id":4625,"msg":{"a":1}}}`)
	check(`{"timestamp":"2026-11-21T06:33:10Z","timestamp":"2026-11-21T06:33:11Z","a":1,"a":2,"event_id":"e-1","message":null,"nul":null,"received_at":"x"}`,
		`{"timestamp":"2026-11-21T06:33:11.000000Z","service_name":"svc","status_code":0,"region":"unknown","level":"info","attributes":{"a":2,"nul":null,"received_at":"x"}}`)
	check(`{"t":{"$date":"2026-11-21T06:33:10.123+00:00"},"s":"I","msg":"mongo","attr":{"durationMillis":12}}`,
		`{"timestamp":"2026-11-21T06:33:10.123000Z","service_name":"svc","status_code":0,"region":"unknown","level":"info","message":"mongo","attributes":{"s":"I","attr":{"durationMillis":12}}}`)
	check(`{"time":1795242790123456789}`,
		`{"timestamp":"2026-11-21T06:33:10.123456Z","service_name":"svc","status_code":0,"region":"unknown","level":"info"}`)
	check(`{"time":"2026-11-21T06:33:10Z","message":"a","message":null,"host":"-","text":"-","empty":{},"http":{"request":{"method":"GET"}},"event":{}}`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","method":"GET","status_code":0,"region":"unknown","level":"info","attributes":{"text":"-","empty":{},"event":{}}}`)
	check(`{"time":"2026-11-21T06:33:10Z","severity":4,"request_id":17,"message":42,"trace":"a b","http":{"status_code":"301","version":1.1}}`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","status_code":301,"region":"unknown","level":"warn","request_id":"17","attributes":{"message":42,"trace":"a b","http":{"version":1.1}}}`)
	check(`{"time":"2026-11-21T06:33:10Z","event_id":"e-1","path":17,"duration":"1m2.5s","date":"2026-11-20T06:33:10Z"}`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","endpoint":"17","status_code":0,"latency_ms":62500,"region":"unknown","level":"info","attributes":{"date":"2026-11-20T06:33:10Z"}}`)
	check(`{"time":"2026-11-21T06:33:10Z","path":"/a?b","query":"SELECT 1","status":499.0}`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","endpoint":"/a","status_code":499,"region":"unknown","level":"warn","attributes":{"query":"SELECT 1","path":"/a?b"}}`)
	check(`{"time":"2026-11-21T06:33:10Z","latency_ms":"12.5","elapsed":"250µs","level":"Information","n":1.50}`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","status_code":0,"latency_ms":12.5,"region":"unknown","level":"info","attributes":{"elapsed":"250µs","n":1.50}}`)
	check(` {"time" : "2026-11-21T06:33:10Z" , "x" : [ 1 , 2 ] } `,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","status_code":0,"region":"unknown","level":"info","attributes":{"x":[1,2]}}`)
	check(`{"time":"2026-11-21T06:33:10Z","service":5,"level":true}`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"5","status_code":0,"region":"unknown","level":"info","attributes":{"level":true}}`)
	check(`{"__REALTIME_TIMESTAMP":"1795242790123456","PRIORITY":"3","MESSAGE":"boom","SYSLOG_IDENTIFIER":"sshd","_HOSTNAME":"h","_PID":"7"}`,
		`{"timestamp":"2026-11-21T06:33:10.123456Z","service_name":"sshd","status_code":0,"region":"unknown","host":"h","level":"error","message":"boom","attributes":{"_PID":"7"}}`)
	check(`{"time":"2026-11-21T06:33:10Z","priority":"high","short_message":"gelf"}`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","status_code":0,"region":"unknown","level":"info","message":"gelf","attributes":{"priority":"high"}}`)
}

func TestJSONLinesRefused(t *testing.T) {
	refuse := refuses(t, Config{Kind: JSON, Service: "svc"})
	refuse(`{"timestamp":"2026-11-21T06:33:10Z","status_code":"abc"}`, "status_code", `must be 100 to 599, or 0 for what is no HTTP exchange, got "abc"`)
	refuse(`{"timestamp":"2026-11-21T06:33:10Z","status_code":700}`, "status_code", `must be 100 to 599, or 0 for what is no HTTP exchange, got 700`)
	refuse(`{"timestamp":"2026-11-21T06:33:10Z","duration":-5}`, "latency_ms", `must be a number that is not negative, or text with a unit such as 12.5ms, got -5 in duration`)
	refuse(`{"timestamp":"2026-11-21T06:33:10Z","duration":{"a":1},"host":["a"],"service":"###"}`, "service_name", `has no letter or digit to make a service name of, got "###" in service`)
	refuse(`{"msg":"no time"}`, "timestamp", `is missing: when the lines have a time under another name, import with --map NAME=timestamp`)
	refuse(`{"timestamp":"1970-11-21T06:33:10Z"}`, "timestamp", `1970-11-21T06:33:10Z is outside the accepted window 1996-11-28T08:00:00Z to 2026-11-22T08:00:00Z, got "1970-11-21T06:33:10Z"`)
	refuse(`{"time":"21/Nov/2026:06:33:10 +0000","url":"https://h:1/p/q?z=1","query":"select","host":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}`, "host", `is 286 bytes long, the limit is 255`)
	refuse(`{"time":"2026-11-21 06:33:10,123","ti\u006de":"x","p\u0061th":"/\u00e9?q","a\"b":1}`, "timestamp", `is no time in a known form, got "x" in time`)
	refuse(`[1]`, "", `the event must be one JSON object, got [1]`)
	refuse(`{"time":`, "", `the event is no valid JSON: it ends where a value should stand (byte 9)`)
	refuse(`{"time":"2026-11-21T06:33:10Z"} trailing`, "", `after the event's object stands more: trailing`)
	refuse(`{"time":"2026-11-21T06:33:10Z","latency":1e400}`, "latency_ms", `must be a number that is not negative, or text with a unit such as 12.5ms, got 1e400 in latency`)
}
