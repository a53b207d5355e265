-- --input=farm
-- The mean of the last ten seconds at each report, in the order of time.
SELECT device, ts, wind_speed, avg(wind_speed) OVER (PARTITION BY device ORDER BY ts RANGE BETWEEN INTERVAL '10 seconds' PRECEDING AND CURRENT ROW) AS mean,
       count(*) OVER (PARTITION BY device ORDER BY ts RANGE BETWEEN INTERVAL '10 seconds' PRECEDING AND CURRENT ROW) AS n
FROM wind_turbine WHERE device = 'wind-turbine-2'
