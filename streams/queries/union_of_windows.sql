-- --input=farm
CREATE VIEW tens AS SELECT device, window_start, count(*) AS n FROM wind_turbine GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds');
CREATE VIEW fives AS SELECT device, window_start, count(*) AS n FROM met_mast GROUP BY device, TUMBLE(ts, INTERVAL '5 seconds');
CREATE QUERY union_of_windows WITH (emit = 'change', emit_key = 'device') AS SELECT device, n FROM tens UNION ALL SELECT device, n FROM fives;
