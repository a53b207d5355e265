-- --input=farm
-- Each turbine's load against what its type plate says; a turbine without one is left out.
SELECT w.device, d.row, window_start, avg(w.active_power) / max(t.rated_kw) AS load, count(*) AS n
FROM wind_turbine w
JOIN devices d ON d.device = w.device
JOIN turbine t ON t.device = w.device
GROUP BY w.device, d.row, TUMBLE(w.ts, INTERVAL '1 minute')
