-- --input=farm
SELECT device, count(*) AS n FROM wind_turbine GROUP BY device, TUMBLE(ts, INTERVAL '30 seconds')
UNION ALL SELECT device, count(*) AS n FROM probe GROUP BY device, TUMBLE(ts, INTERVAL '30 seconds')
