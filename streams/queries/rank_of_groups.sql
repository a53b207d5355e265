-- --input=farm
SELECT device, window_end, count(*) AS n, rank() OVER (PARTITION BY window_end ORDER BY count(*) DESC) AS place,
       dense_rank() OVER (PARTITION BY window_end ORDER BY max(wind_speed) > 9.5) AS class
FROM wind_turbine GROUP BY device, TUMBLE(ts, INTERVAL '20 seconds')
