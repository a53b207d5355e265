-- Days in Berlin around the beginning of summer time: one of them has 23 hours.
SELECT device, window_start, window_end, count(*) AS n, max(wind_speed) AS gust
FROM wind_turbine GROUP BY device, TUMBLE(ts, INTERVAL '1 day')
