-- Endpoints by their 95th percentile of latency, slowest first.
SELECT service_name,
       endpoint,
       count(*) AS requests,
       approx_percentile(latency_ms, 0.5) AS p50_ms,
       approx_percentile(latency_ms, 0.95) AS p95_ms,
       approx_percentile(latency_ms, 0.99) AS p99_ms
FROM events
WHERE latency_ms IS NOT NULL -- narrowed by from, to, service
GROUP BY service_name, endpoint
ORDER BY p95_ms DESC NULLS LAST, service_name, endpoint NULLS LAST
