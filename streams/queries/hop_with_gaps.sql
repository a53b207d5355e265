-- The first ten seconds of every half minute, counted from five seconds after it; all devices together.
SELECT window_start, window_end, count(*) AS n, max(wind_speed) AS ws_max
FROM wind_turbine
GROUP BY HOP(ts, INTERVAL '30 seconds', INTERVAL '10 seconds', INTERVAL '5 seconds')
