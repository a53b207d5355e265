-- --input=farm
SELECT device, window_start, percentile(wind_speed, 0.9) AS p90, approx_median(wind_speed) AS median, approx_distinct(device) AS n
FROM wind_turbine GROUP BY device, TUMBLE(ts, INTERVAL '1 minute')
