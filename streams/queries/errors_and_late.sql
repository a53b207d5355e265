-- --input=late
-- --also=errors_and_late.errors
-- --also=errors_and_late.late
-- What a query leaves out is told aside, with the reason.
CREATE QUERY errors_and_late WITH (watermark_delay = '1s', late = 'aside') AS
SELECT device, window_end, sum(CAST(100 / (CAST(wind_speed AS BIGINT) - 5) AS DOUBLE)) AS odd FROM wind_turbine
GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')
