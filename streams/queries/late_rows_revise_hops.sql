-- --input=late
CREATE QUERY late_rows_revise_hops WITH (allowed_lateness = '20s', watermark_delay = '1s') AS
SELECT window_start, window_end, count(*) AS n FROM wind_turbine WHERE wind_speed > 2
GROUP BY HOP(ts, INTERVAL '5 seconds', INTERVAL '15 seconds')
