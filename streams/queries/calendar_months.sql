-- --input=calendar_days
SELECT window_start, window_end, count(*) AS n FROM wind_turbine GROUP BY TUMBLE(ts, INTERVAL '1 month')
