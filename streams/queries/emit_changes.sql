-- --input=farm
-- An alert when turbulence begins and when it ends.
CREATE QUERY emit_changes WITH (emit = 'change', emit_key = 'device') AS
SELECT device, window_end, stddev(wind_speed) / avg(wind_speed) > 0.06 AS high FROM wind_turbine
GROUP BY device, HOP(ts, INTERVAL '5 seconds', INTERVAL '30 seconds')
