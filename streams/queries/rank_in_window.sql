-- --input=farm
-- The two weakest turbines of each minute, and how far each is below the mean of all.
SELECT device, window_start, p, p - avg(p) OVER (PARTITION BY window_start) AS below, row_number() OVER (PARTITION BY window_start ORDER BY p) AS worst
FROM (SELECT device, window_start, avg(active_power) AS p FROM wind_turbine GROUP BY device, TUMBLE(ts, INTERVAL '1 minute')) w
QUALIFY worst <= 2
