SELECT floor(wind_speed / 2) * 2 AS bin, count(*) AS n, max(active_power) AS p
FROM wind_turbine WHERE wind_speed IS NOT NULL
GROUP BY bin, TUMBLE(ts, INTERVAL '10 seconds') HAVING n > 1 AND window_end > window_start
