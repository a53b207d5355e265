-- --input=limit
-- --also=limit_drops_rows.errors
CREATE QUERY limit_drops_rows WITH (group_limit = '4', watermark_delay = '20s') AS
SELECT device, window_start, count(*) AS n FROM probe GROUP BY device, TUMBLE(ts, INTERVAL '5 seconds')
