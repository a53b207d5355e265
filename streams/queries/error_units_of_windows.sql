-- --fail=2:18: `°C` is taken from `m/s` in `t.gust - m.warm` (convert one of them, as in `speed / 3.6`)
SELECT t.device, t.gust - m.warm AS odd
FROM (SELECT device, window_start, max(wind_speed) AS gust FROM wind_turbine GROUP BY device, TUMBLE(ts, INTERVAL '1 minute')) t
JOIN (SELECT window_start, avg(ambient_temperature) AS warm FROM met_mast GROUP BY TUMBLE(ts, INTERVAL '1 minute')) m
  ON m.window_start = t.window_start
