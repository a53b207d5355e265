-- --input=limit
CREATE QUERY limit_evicts_count_windows WITH (group_limit = '2', at_limit = 'evict') AS
SELECT device, count(*) AS n FROM probe GROUP BY device, COUNTWINDOW(2)
