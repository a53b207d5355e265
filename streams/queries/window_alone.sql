CREATE QUERY window_alone WITH (watermark_delay = '0s', idle_timeout = '1s') AS
SELECT window_start, count(*), count(*) FILTER (WHERE wind_speed > 6) AS strong, sum(wind_speed) / nullif(count(wind_speed), 0) AS mean
FROM wind_turbine GROUP BY TUMBLE(ts, INTERVAL '1 minute', INTERVAL '30 seconds')
