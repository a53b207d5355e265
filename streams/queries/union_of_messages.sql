-- --input=farm
SELECT device, wind_speed AS v FROM wind_turbine WHERE wind_speed > 9
UNION ALL SELECT device, wind_speed FROM met_mast
UNION ALL (SELECT 'all' AS device, active_power / 1000 FROM wind_turbine)
