-- --input=farm
SELECT window_end, count(*) AS pairs, sum(a.wind_speed * b.wind_speed) AS product
FROM wind_turbine a JOIN wind_turbine b
  ON a.device = 'wind-turbine-1' AND b.device = 'wind-turbine-3'
  AND a.ts - INTERVAL '2 seconds' <= b.ts AND a.ts > b.ts
GROUP BY TUMBLE(a.ts, INTERVAL '30 seconds')
