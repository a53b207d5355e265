-- --input=farm
SELECT device, tw_avg(v, ts) AS mean
FROM (SELECT device, ts, wind_speed AS v FROM wind_turbine UNION ALL SELECT device, ts, wind_speed FROM met_mast) AS u
GROUP BY device, TUMBLE(ts, INTERVAL '20 seconds')
