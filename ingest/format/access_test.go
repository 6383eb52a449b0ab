package format

import "testing"

func TestAccessLines(t *testing.T) {
	check := accepts(t, Config{Kind: Access, Service: "svc"})
	check(`127.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "GET /a?b=c HTTP/1.1" 200 11`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","endpoint":"/a","method":"GET","status_code":200,"region":"unknown","level":"info","message":"GET /a?b=c HTTP/1.1","attributes":{"remote_addr":"127.0.0.1","protocol":"HTTP/1.1","body_bytes_sent":11,"query":"b=c"}}`)
	check(`127.0.0.1 - frank [21/Nov/2026:06:33:10 +0100] "GET /a?b=c HTTP/1.1" 200 - "http://x/" "Mozilla \"quoted\" \x22hex\x22"`,
		`{"timestamp":"2026-11-21T05:33:10.000000Z","service_name":"svc","endpoint":"/a","method":"GET","status_code":200,"region":"unknown","level":"info","message":"GET /a?b=c HTTP/1.1","attributes":{"remote_addr":"127.0.0.1","remote_user":"frank","protocol":"HTTP/1.1","http_referer":"http://x/","http_user_agent":"Mozilla \"quoted\" \"hex\"","query":"b=c"}}`)
	check(`127.0.0.1 - John Doe [21/Nov/2026:06:33:10 +0100] "GET /a HTTP/1.1" 499 0 "-" "-"`,
		`{"timestamp":"2026-11-21T05:33:10.000000Z","service_name":"svc","endpoint":"/a","method":"GET","status_code":499,"region":"unknown","level":"warn","message":"GET /a HTTP/1.1","attributes":{"remote_addr":"127.0.0.1","remote_user":"John Doe","protocol":"HTTP/1.1","body_bytes_sent":0}}`)
	check(`::1 - - [21/Nov/2026:06:33:10 +0000] "-" 400 0 "-" "-"`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","status_code":400,"region":"unknown","level":"warn","message":"-","attributes":{"remote_addr":"::1","body_bytes_sent":0}}`)
	check(`2001:db8::7 - - [21/Nov/2026:06:33:10 +0000] "\x16\x03\x01\x00\xEE\x01\x00" 400 157 "-" "-"`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","status_code":400,"region":"unknown","level":"warn","message":"\\x16\\x03\\x01\\x00\\xEE\\x01\\x00","attributes":{"remote_addr":"2001:db8::7","body_bytes_sent":157}}`)
	check(`shop.example.org:443 10.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "GET / HTTP/2.0" 200 5 "-" "curl/8"`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","endpoint":"/","method":"GET","status_code":200,"region":"unknown","host":"shop.example.org","level":"info","message":"GET / HTTP/2.0","attributes":{"server_port":"443","remote_addr":"10.0.0.1","protocol":"HTTP/2.0","body_bytes_sent":5,"http_user_agent":"curl/8"}}`)
	check(`[::1]:8080 10.0.0.1 - bob [21/Nov/2026:06:33:10 +0000] "GET / HTTP/2.0" 200 5 "-" "curl/8"`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","endpoint":"/","method":"GET","status_code":200,"region":"unknown","host":"[::1]","level":"info","message":"GET / HTTP/2.0","attributes":{"server_port":"8080","remote_addr":"10.0.0.1","remote_user":"bob","protocol":"HTTP/2.0","body_bytes_sent":5,"http_user_agent":"curl/8"}}`)
	check(`10.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "" 408 - "-" "-"`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","status_code":408,"region":"unknown","level":"warn","attributes":{"remote_addr":"10.0.0.1"}}`)
	check(`10.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "PROPFIND /dav/ HTTP/1.1" 207 5`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","endpoint":"/dav/","method":"PROPFIND","status_code":207,"region":"unknown","level":"info","message":"PROPFIND /dav/ HTTP/1.1","attributes":{"remote_addr":"10.0.0.1","protocol":"HTTP/1.1","body_bytes_sent":5}}`)
	check(`10.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "OPTIONS * HTTP/1.1" 200 5`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","endpoint":"*","method":"OPTIONS","status_code":200,"region":"unknown","level":"info","message":"OPTIONS * HTTP/1.1","attributes":{"remote_addr":"10.0.0.1","protocol":"HTTP/1.1","body_bytes_sent":5}}`)
	check(`10.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "CONNECT example.org:443 HTTP/1.1" 405 5`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","endpoint":"example.org:443","method":"CONNECT","status_code":405,"region":"unknown","level":"warn","message":"CONNECT example.org:443 HTTP/1.1","attributes":{"remote_addr":"10.0.0.1","protocol":"HTTP/1.1","body_bytes_sent":5}}`)
	check(`10.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "GET http://example.org/a/b?x=1#f HTTP/1.1" 200 5`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","endpoint":"/a/b","method":"GET","status_code":200,"region":"unknown","level":"info","message":"GET http://example.org/a/b?x=1#f HTTP/1.1","attributes":{"remote_addr":"10.0.0.1","protocol":"HTTP/1.1","body_bytes_sent":5,"request_uri":"http://example.org/a/b?x=1#f"}}`)
	check(`10.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "GET /with space and more HTTP/1.1" 200 5`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","endpoint":"/with space and more","method":"GET","status_code":200,"region":"unknown","level":"info","message":"GET /with space and more HTTP/1.1","attributes":{"remote_addr":"10.0.0.1","protocol":"HTTP/1.1","body_bytes_sent":5}}`)
	check(`10.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "GET /old" 200 5`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","endpoint":"/old","method":"GET","status_code":200,"region":"unknown","level":"info","message":"GET /old","attributes":{"remote_addr":"10.0.0.1","body_bytes_sent":5}}`)
	check(`10.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "hello there friend" 400 5`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","status_code":400,"region":"unknown","level":"warn","message":"hello there friend","attributes":{"remote_addr":"10.0.0.1","body_bytes_sent":5}}`)
	check(`10.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "GET / HTTP/1.1" 000 0`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","endpoint":"/","method":"GET","status_code":0,"region":"unknown","level":"info","message":"GET / HTTP/1.1","attributes":{"remote_addr":"10.0.0.1","protocol":"HTTP/1.1","body_bytes_sent":0}}`)
	check(`10.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "GET / HTTP/1.1" - -`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","endpoint":"/","method":"GET","status_code":0,"region":"unknown","level":"info","message":"GET / HTTP/1.1","attributes":{"remote_addr":"10.0.0.1","protocol":"HTTP/1.1"}}`)
	check(`10.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "GET / HTTP/1.1" 200 1 "-" "bot.html`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","endpoint":"/","method":"GET","status_code":200,"region":"unknown","level":"info","message":"GET / HTTP/1.1","attributes":{"remote_addr":"10.0.0.1","protocol":"HTTP/1.1","body_bytes_sent":1,"http_user_agent":"bot.html"}}`)
	check(`10.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "GET / HTTP/1.1" 200 1 "-" "agent "raw" here" rt=0.057 uct="0.001, 0.002" uht="-" urt=0.001, 0.002 host=h1 rid=7 vhost=x trace_id=abc cache=HIT empty= q="a b"`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","endpoint":"/","method":"GET","status_code":200,"latency_ms":57,"region":"unknown","host":"h1","level":"info","message":"GET / HTTP/1.1","request_id":"7","trace_id":"abc","attributes":{"remote_addr":"10.0.0.1","protocol":"HTTP/1.1","body_bytes_sent":1,"http_user_agent":"agent \"raw","extra_1":"here\"","uct":"0.001, 0.002","urt":"0.001, 0.002","vhost":"x","cache":"HIT","q":"a b"}}`)
	check(`10.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "GET / HTTP/1.1" 200 1 "-" "agent" 12345`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","endpoint":"/","method":"GET","status_code":200,"region":"unknown","level":"info","message":"GET / HTTP/1.1","attributes":{"remote_addr":"10.0.0.1","protocol":"HTTP/1.1","body_bytes_sent":1,"http_user_agent":"agent","extra_1":12345}}`)
	check(`10.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "GET / HTTP/1.1" 200 1 "-" "agent" "10.1.1.1, 10.2.2.2"`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","endpoint":"/","method":"GET","status_code":200,"region":"unknown","level":"info","message":"GET / HTTP/1.1","attributes":{"remote_addr":"10.0.0.1","protocol":"HTTP/1.1","body_bytes_sent":1,"http_user_agent":"agent","http_x_forwarded_for":"10.1.1.1, 10.2.2.2"}}`)
	check(`10.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "GET / HTTP/1.1" 200 1 "-" "agent" "-"`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","endpoint":"/","method":"GET","status_code":200,"region":"unknown","level":"info","message":"GET / HTTP/1.1","attributes":{"remote_addr":"10.0.0.1","protocol":"HTTP/1.1","body_bytes_sent":1,"http_user_agent":"agent"}}`)
	check(`10.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "GET / HTTP/1.1" 200 1 "-" "Go-http" 7 "web@docker" "http://10.0.0.2:80" 12ms`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","endpoint":"/","method":"GET","status_code":200,"latency_ms":12,"region":"unknown","level":"info","message":"GET / HTTP/1.1","attributes":{"remote_addr":"10.0.0.1","protocol":"HTTP/1.1","body_bytes_sent":1,"http_user_agent":"Go-http","extra_1":7,"extra_2":"web@docker","extra_3":"http://10.0.0.2:80"}}`)
	check(`192.168.64.1 - - [21/Nov/2026:06:33:10 +0000] "GET / HTTP/1.1" 200 615 "-" "curl" 75 0.002 [default-web-80] [] 172.17.0.5:80, 172.17.0.6:80 0, 615 0.001, 0.001 502, 200 7f3c2d5be`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","endpoint":"/","method":"GET","status_code":200,"latency_ms":2,"region":"unknown","level":"info","message":"GET / HTTP/1.1","request_id":"7f3c2d5be","attributes":{"remote_addr":"192.168.64.1","protocol":"HTTP/1.1","body_bytes_sent":615,"http_user_agent":"curl","request_length":75,"proxy_upstream_name":"default-web-80","upstream_addr":"172.17.0.5:80, 172.17.0.6:80","upstream_response_length":"0, 615","upstream_response_time":"0.001, 0.001","upstream_status":"502, 200"}}`)
	check(`10.0.0.1 - [21/Nov/2026:06:33:10 +0000] "GET / HTTP/1.1" 200 1`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","endpoint":"/","method":"GET","status_code":200,"region":"unknown","level":"info","message":"GET / HTTP/1.1","attributes":{"remote_addr":"10.0.0.1","protocol":"HTTP/1.1","body_bytes_sent":1}}`)
	check(`10.0.0.1 [21/Nov/2026:06:33:10 +0000] "GET / HTTP/1.1" 200 1`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","endpoint":"/","method":"GET","status_code":200,"region":"unknown","level":"info","message":"GET / HTTP/1.1","attributes":{"remote_addr":"10.0.0.1","protocol":"HTTP/1.1","body_bytes_sent":1}}`)
	check(`10.0.0.1 - u [x] [21/Nov/2026:06:33:10 +0000] "GET / HTTP/1.1" 200 1`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","endpoint":"/","method":"GET","status_code":200,"region":"unknown","level":"info","message":"GET / HTTP/1.1","attributes":{"remote_addr":"10.0.0.1","remote_user":"u [x]","protocol":"HTTP/1.1","body_bytes_sent":1}}`)
	check(`10.0.0.1 - - [21/Nov/2026:06:33:10] "GET / HTTP/1.1" 200 1`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","endpoint":"/","method":"GET","status_code":200,"region":"unknown","level":"info","message":"GET / HTTP/1.1","attributes":{"remote_addr":"10.0.0.1","protocol":"HTTP/1.1","body_bytes_sent":1}}`)
}

func TestAccessLinesRefused(t *testing.T) {
	refuse := refuses(t, Config{Kind: Access, Service: "svc"})
	refuse(`10.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "GET / HTTP/1.1" 700 0`, "status_code", `must be 100 to 599, or 0 for what is no HTTP exchange, got "700" in status`)
	refuse(`10.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "GET / HTTP/1.1" abc 0`, "status_code", `must be 100 to 599, or 0 for what is no HTTP exchange, got "abc" in status`)
	refuse(`10.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "GET / HTTP/1.1"`, "status_code", `is missing: the line ends behind its request, got GET / HTTP/1.1`)
	refuse(`10.0.0.1 - - [31/Feb/2026:06:33:10 +0000] "GET / HTTP/1.1" 200 1`, "timestamp", `is no time in a known form, got "31/Feb/2026:06:33:10 +0000" in time_local`)
	refuse(`10.0.0.1 - - [21/Nov/2026:06:33:10 +0000] GET / HTTP/1.1 200 1`, "", `the line is no access log line: no "request" follows the time, got  GET / HTTP/1.1 200 1`)
	refuse(`10.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "GET / HTTP/1.1" 200 1 "-" "a" rt=-1`, "latency_ms", `must be a number that is not negative, or text with a unit such as 12.5ms, got -1 in rt`)
	refuse(`10.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "GET / HTTP/1.1" 200 1 "-" "a" rt=fast`, "latency_ms", `must be a number that is not negative, or text with a unit such as 12.5ms, got "fast" in rt`)
	refuse(`hello world`, "", `the line is no access log line: no [21/Nov/2026:06:33:10 +0000] stands in it, got hello world`)
}
