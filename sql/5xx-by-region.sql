-- Server errors by region, most first.
SELECT region,
       count(*) AS requests,
       count(*) FILTER (WHERE status_code >= 500) AS errors,
       CAST(count(*) FILTER (WHERE status_code >= 500) AS DOUBLE) / count(*) AS error_rate
FROM events
WHERE status_code >= 100 -- narrowed by from, to, service
GROUP BY region
ORDER BY errors DESC, region
