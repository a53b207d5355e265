-- --input=gusts
SELECT device, window_start, window_end, count(*) AS n, min(wind_speed) AS low
FROM wind_turbine GROUP BY device, STATEWINDOW(wind_speed > 10)
