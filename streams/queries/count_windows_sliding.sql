-- --input=gusts
SELECT device, window_start, window_end, count(*) AS n, avg(wind_speed) AS mean FROM wind_turbine
GROUP BY device, COUNTWINDOW(20, 8)
