-- Turbulence over the last half minute, told every ten seconds.
SELECT device, window_start, window_end, avg(wind_speed) AS ws, stddev(wind_speed) AS spread, count(*) AS n
FROM wind_turbine
GROUP BY device, HOP(ts, INTERVAL '10 seconds', INTERVAL '30 seconds')
