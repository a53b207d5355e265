-- --input=limit
CREATE QUERY limit_evicts_percentiles WITH (group_limit = '4', at_limit = 'evict', watermark_delay = '20s') AS
SELECT device, window_start, percentile(level, 0.5) AS p FROM probe GROUP BY device, TUMBLE(ts, INTERVAL '5 seconds')
