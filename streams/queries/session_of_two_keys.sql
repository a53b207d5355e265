-- --input=gusts
SELECT device, wind_speed > 12 AS strong, window_start, window_end, count(*) AS n FROM wind_turbine WHERE wind_speed > 10
GROUP BY device, wind_speed > 12, SESSION(ts, INTERVAL '3 seconds')
