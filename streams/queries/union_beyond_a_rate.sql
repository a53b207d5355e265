-- --input=farm
CREATE QUERY union_beyond_a_rate WITH (emit_rate = '1 per 20s per device') AS
SELECT device, wind_speed AS v FROM wind_turbine UNION ALL SELECT device, wind_speed FROM met_mast
