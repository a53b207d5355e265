-- --input=late
-- A late row changes a window that is over: it is told again, under a number of its own.
CREATE QUERY late_rows_revise WITH (allowed_lateness = '30s', watermark_delay = '1s') AS
SELECT device, window_start, count(*) AS n, max(wind_speed) AS gust FROM wind_turbine
GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')
