-- --input=gusts
SELECT window_start, window_end, count(*) AS n, count(DISTINCT device) AS devices FROM wind_turbine WHERE wind_speed > 11
GROUP BY SESSION(ts, INTERVAL '3 seconds')
