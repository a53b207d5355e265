-- --input=farm
SELECT device, window_start, mean, mean - lag(mean) OVER (PARTITION BY device) AS rise
FROM (SELECT device, window_start, avg(wind_speed) AS mean FROM wind_turbine GROUP BY device, TUMBLE(ts, INTERVAL '30 seconds')) w
