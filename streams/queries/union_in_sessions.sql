-- --input=farm
SELECT device, count(*) AS n, max(v) AS most
FROM (SELECT device, ts, wind_speed AS v FROM wind_turbine UNION ALL SELECT device, ts, wind_speed FROM met_mast) AS u
GROUP BY device, SESSION(ts, INTERVAL '3 seconds')
