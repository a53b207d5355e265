-- The same from means: two aggregates that meet in the same ten minutes.
SELECT t.device, t.window_start,
       (t.direction - m.direction + 540) % 360 - 180 AS yaw_error
FROM (SELECT device, window_start, circ_mean(nacelle_direction) AS direction
      FROM wind_turbine GROUP BY device, TUMBLE(ts, INTERVAL '10 minutes')) t
JOIN devices d ON d.device = t.device
JOIN (SELECT device, window_start, circ_mean(wind_direction) AS direction
      FROM met_mast GROUP BY device, TUMBLE(ts, INTERVAL '10 minutes')) m
  ON m.device = d.mast AND m.window_start = t.window_start
