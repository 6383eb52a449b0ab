-- Share of requests that failed (5xx) by endpoint, worst first. Events that are no HTTP exchange (status 0) do not count.
SELECT service_name,
       endpoint,
       count(*) AS requests,
       count(*) FILTER (WHERE status_code >= 500) AS errors,
       CAST(count(*) FILTER (WHERE status_code >= 500) AS DOUBLE) / count(*) AS error_rate
FROM events
WHERE status_code >= 100 -- narrowed by from, to, service
GROUP BY service_name, endpoint
ORDER BY error_rate DESC, errors DESC, service_name, endpoint NULLS LAST
