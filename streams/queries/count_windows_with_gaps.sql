-- --input=gusts
SELECT device, window_start, window_end, sum(wind_speed) AS total FROM wind_turbine WHERE device <> 'wind-turbine-3'
GROUP BY COUNTWINDOW(3, 25), device
