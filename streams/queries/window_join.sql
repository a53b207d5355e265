-- --input=farm
-- Two aggregates that meet in the same window, with a table between them.
SELECT a.device, a.window_start, a.dir - b.dir AS yaw_error, a.n
FROM (SELECT device, window_start, circ_mean(nacelle_direction) AS dir, count(*) AS n FROM wind_turbine
      GROUP BY device, TUMBLE(ts, INTERVAL '30 seconds')) a
JOIN devices t ON t.device = a.device
JOIN (SELECT device, window_start, circ_mean(wind_direction) AS dir FROM met_mast
      GROUP BY device, TUMBLE(ts, INTERVAL '30 seconds')) b ON b.device = t.mast AND b.window_start = a.window_start
