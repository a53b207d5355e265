-- --input=changes
-- Only what has changed, with the value before.
SELECT device, ts, wind_speed, lag(wind_speed) IGNORE NULLS OVER (PARTITION BY device) AS before, lag(wind_speed, 2, -1.0) OVER (PARTITION BY device) AS two_before
FROM wind_turbine WHERE had_changed(wind_speed) OVER (PARTITION BY device)
