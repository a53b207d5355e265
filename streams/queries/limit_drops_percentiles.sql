-- --input=limit
CREATE QUERY limit_drops_percentiles WITH (group_limit = '3', watermark_delay = '20s') AS
SELECT device, window_start, percentile(level, 0.5) AS p FROM probe GROUP BY device, TUMBLE(ts, INTERVAL '5 seconds')
