-- --input=gusts
SELECT window_start, count(*) AS bursts, sum(n) AS reports
FROM (SELECT device, count(*) AS n FROM wind_turbine WHERE wind_speed > 10 GROUP BY device, SESSION(ts, INTERVAL '5 seconds')) s
GROUP BY TUMBLE(ts, INTERVAL '1 minute')
