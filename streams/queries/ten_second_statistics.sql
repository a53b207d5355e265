-- Statistics of each turbine over ten seconds.
SELECT device, window_start, window_end, avg(wind_speed) AS mean, min(wind_speed) AS low, max(wind_speed) AS high, count(*) AS n
FROM wind_turbine
GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds');
