-- --input=limit
CREATE QUERY limit_evicts_windows WITH (group_limit = '4', at_limit = 'evict', watermark_delay = '20s') AS
SELECT device, window_start, count(*) AS n FROM probe GROUP BY device, TUMBLE(ts, INTERVAL '5 seconds')
