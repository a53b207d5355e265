-- --input=farm
CREATE QUERY emit_rate WITH (emit_rate = '1 per 20s per device') AS
SELECT device, ts, wind_speed FROM wind_turbine WHERE wind_speed > 8
