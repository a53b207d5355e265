-- --input=farm
SELECT window_start, sum(n) AS n FROM (
  SELECT device, count(*) AS n FROM wind_turbine GROUP BY device, TUMBLE(ts, INTERVAL '5 seconds')
  UNION ALL SELECT device, count(*) AS n FROM met_mast GROUP BY device, TUMBLE(ts, INTERVAL '5 seconds')
) AS u GROUP BY TUMBLE(ts, INTERVAL '20 seconds')
