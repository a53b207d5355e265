-- --input=changes
-- Windy for half a minute, looked at every five seconds.
SELECT device, window_end, stddev(wind_speed) AS spread, count(wind_speed) AS n FROM wind_turbine
GROUP BY device, HOP(ts, INTERVAL '5 seconds', INTERVAL '30 seconds')
HAVING time_in(wind_speed > 5, ts) >= INTERVAL '30 seconds'
