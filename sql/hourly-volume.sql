-- Events by hour (UTC), oldest first.
SELECT date_trunc('hour', timestamp) AS hour,
       count(*) AS events,
       count(*) FILTER (WHERE status_code >= 500) AS errors
FROM events
WHERE 1 = 1 -- narrowed by from, to, service
GROUP BY date_trunc('hour', timestamp)
ORDER BY hour
