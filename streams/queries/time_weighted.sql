-- --input=changes
-- A device that reports changes only: what stood at the start of a window counts into it, also when nothing is reported.
SELECT device, window_start, tw_avg(wind_speed, ts) AS mean, avg(wind_speed) AS of_reports, count(*) AS n,
       integral(active_power, ts) AS energy, availability(active_power, ts) AS available,
       time_in(wind_speed > 5, ts) >= INTERVAL '8 seconds' AS windy, time_in(wind_speed > 5, ts) AS windy_for
FROM wind_turbine GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')
