-- Whether the wind at a turbine is too turbulent, told when that begins and when it ends.
CREATE QUERY farm_gusty WITH (emit = 'change', emit_key = 'device') AS
SELECT device, window_end,
       stddev(wind_speed) / nullif(avg(wind_speed), 0) > 0.18 AS gusty
FROM wind_turbine
GROUP BY device, HOP(ts, INTERVAL '10 seconds', INTERVAL '10 minutes')
HAVING avg(wind_speed) > 4
