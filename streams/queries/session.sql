-- --input=gusts
-- Bursts of wind with pauses under five seconds, at most 20 seconds long.
SELECT device, window_start, window_end, count(*) AS n, max(wind_speed) AS peak, stddev(wind_speed) AS spread
FROM wind_turbine WHERE wind_speed > 10
GROUP BY device, SESSION(ts, INTERVAL '5 seconds', INTERVAL '20 seconds')
HAVING count(*) > 1
