-- --input=farm
SELECT device, count(*) AS n
FROM (SELECT device, ts FROM wind_turbine WHERE wind_speed > 12 UNION ALL SELECT device, ts FROM met_mast WHERE wind_direction < 90) AS u
GROUP BY device, TUMBLE(ts, INTERVAL '5 seconds')
