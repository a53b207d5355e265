-- --input=farm
SELECT device, ts, max(wind_speed) OVER (PARTITION BY device ORDER BY ts ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) AS peak,
       sum(active_power) FILTER (WHERE active_power > 820) OVER (PARTITION BY device ORDER BY ts) AS total,
       stddev(wind_speed) OVER (PARTITION BY device ORDER BY ts) AS spread
FROM wind_turbine
QUALIFY peak > 11.5 AND row_number() OVER (PARTITION BY device ORDER BY ts) % 10 = 0
