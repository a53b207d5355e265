-- --input=gusts
-- From the first gust over 11.5 m/s until the power is high.
SELECT device, window_start, window_end, max(wind_speed) AS peak, count(*) AS n
FROM wind_turbine GROUP BY device, STATEWINDOW(wind_speed > 11.5, active_power > 640)
