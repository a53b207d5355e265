-- Mean power and strongest wind of each turbine, every ten seconds.
SELECT device,
       avg(active_power) AS power_kw,
       max(wind_speed) AS wind_speed_max
FROM wind_turbine
GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')
