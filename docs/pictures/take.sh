#!/bin/sh
# Takes the pictures of the documentation; `make shots` calls it at the top of the tree when both programs are built.
# Lake, clock and keys are fixed, so that a picture changes only when the console does. What the machine's speed shows in (a statement's time, a
# task's, the benchmark's) is in explore.png, sql.png, tasks.png and bench.png, which differ a little with each run.
#
#   docs/pictures/take.sh [NAME...]     all pictures, or those named
set -eu

bin=$(realpath "${BIN:-bin/signallake-tui}")
shots=$(realpath "${SHOTS:-bin/shots}")
to=${TO:-docs/pictures}
port=${PORT:-8000}
asked=" $* "
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

# Two days of a million events that end five seconds before now. On the last morning auth is in trouble in us-east-1.
now=2026-11-10T10:00:05Z
echo "  a lake of a million events"
SIGNALLAKE_TEST_NOW=$now "$bin" generate --data "$work/demo" --count 1000000 --seed 7 --days 2 --start 2026-11-08T10:00:00Z >"$work/log" 2>&1
SIGNALLAKE_TEST_NOW=$now "$bin" convert --data "$work/demo" >>"$work/log" 2>&1

asked() { # NAME: is it to be taken?
	case "$asked" in *" $1 "* | "  ") ;; *) return 1 ;; esac
}

# shot NAME LAKE KEYS [FLAGS]: a picture of the console. It starts in the work folder, so that it shows the lake's name and no path of this machine.
shot() {
	name=$1 lake=$2 keys=$3
	shift 3
	asked "$name" || return 0
	echo "  $to/$name.png"
	"$shots" -run "cd '$work' && exec '$bin' --data $lake --addr 127.0.0.1:$port --fresh" -env "SIGNALLAKE_TEST_NOW=$now" -keys "$keys" -quiet 1500ms -o "$to/$name.png" "$@"
}

# send posts to the console that is about to start: good events, then lines that break the contract in four ways.
send() {
	until curl -sf -o /dev/null "127.0.0.1:$port/health"; do sleep 0.1; done
	for from in 1 301 601; do
		sed -n "$from,$((from + 299))p" "$(ls "$work"/demo/raw/*.jsonl | head -n 1)" | curl -s -o /dev/null --data-binary @- "127.0.0.1:$port/ingest/batch"
	done
	at='"timestamp":"2026-11-10T10:00:01Z"'
	{
		for ms in 12 40 7 31 18 22 9 15 27; do echo "{$at,\"service_name\":\"checkout\",\"endpoint\":\"/pay\",\"latency_ms\":\"${ms}ms\"}"; done
		for n in 1 2 3 4; do echo "{$at,\"svc\":\"payments\",\"message\":\"card declined, try $n\"}"; done
		for n in 1 2; do echo "{$at,\"service_name\":\"search\",\"status_code\":\"200\"}"; done
		echo '{"timestamp":"yesterday","service_name":"checkout"}'
	} | curl -s -o /dev/null --data-binary @- "127.0.0.1:$port/ingest/batch"
}

panels="wait:p95 over time,gone:loading"
six_hours="$panels,t,text:6h,enter,wait:6 h"
failures="ctrl+a,ctrl+k\
,text:SELECT region\\, endpoint\\, count(*) AS fails\\, round(quantile_cont(latency_ms\\, 0.95)) AS p95,enter\
,text:FROM events,enter\
,text:WHERE service_name = 'auth' AND status_code >= 500 AND timestamp > '2026-11-10 04:00',enter\
,text:GROUP BY ALL ORDER BY fails DESC\\, p95 DESC"

shot first-run new "wait:curl"
shot dashboard demo "$six_hours"
shot dashboard-light demo "$six_hours" -light -w 80 -h 24
shot explore demo "$six_hours,2,wait:newest first,/,text:service:auth status>=500 region:us-east-1,enter,gone:loading,gone:counting"
shot sql demo "$panels,3,wait:statement,$failures,f5,wait:us-east-1,esc"
# Tasks take their times from the clock: it must run.
shot tasks tasks "wait:curl,4,wait:No task,a,wait:add a task,g,wait:seed,enter,wait:✓ generate,a,wait:add a task,c,wait:layout,enter,wait:✓ convert,a,wait:add a task,v,wait:✓ verify,wait:each visible,gone:✓ verify:" \
	-env SIGNALLAKE_TEST_NOW= -limit 5m
# So must the pipeline's benchmark, which takes some minutes: on a machine that does nothing else, or the picture shows what else it does.
if asked bench; then
	SIGNALLAKE_TEST_NOW= "$bin" bench pipeline --data "$work/bench" --judge=false >>"$work/log" 2>&1
	shot bench bench "wait:curl,6,tab,wait:verdict,gone:reading" -env SIGNALLAKE_TEST_NOW= -h 40
fi
# Last, since it adds to the lake.
if asked ingest; then
	send &
	shot ingest demo "$panels,5,wait:status_code: must,wait:timestamp: must"
	wait
fi
