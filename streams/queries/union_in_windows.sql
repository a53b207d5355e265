-- --input=farm
SELECT device, count(*) AS n, avg(v) AS mean
FROM (SELECT device, wind_speed AS v FROM wind_turbine UNION ALL SELECT device, wind_speed AS v FROM met_mast) AS both
GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')
