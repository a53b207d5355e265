-- --input=farm
-- Windows of windows, and groups of the rows of one window.
SELECT p.row, m.window_start, sum(m.energy) AS energy, count(*) AS turbines
FROM (SELECT device, window_start, avg(mean) * 60 AS energy
      FROM (SELECT device, avg(active_power) AS mean FROM wind_turbine GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')) t
      GROUP BY device, TUMBLE(ts, INTERVAL '1 minute')) m
JOIN devices p ON p.device = m.device
GROUP BY p.row, m.window_start
