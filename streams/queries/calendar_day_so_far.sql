-- --input=calendar_days
-- The day so far, every six hours; days begin at six in the morning.
SELECT window_start, window_end, count(*) AS n
FROM wind_turbine WHERE device = 'wind-turbine-1' GROUP BY CUMULATE(ts, INTERVAL '6 hours', INTERVAL '1 day', INTERVAL '6 hours')
