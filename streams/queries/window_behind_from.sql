-- --input=farm
SELECT t.device, window_start, count(*) AS n FROM HOP(wind_turbine, ts, INTERVAL '5 seconds', INTERVAL '10 seconds') AS t
GROUP BY t.device, window_start, window_end
