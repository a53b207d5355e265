-- Turbulence intensity at each turbine over the last ten minutes, every minute: what its loads are judged by.
SELECT device,
       stddev(wind_speed) / nullif(avg(wind_speed), 0) AS turbulence_intensity,
       avg(wind_speed) AS wind_speed,
       count(wind_speed) AS samples
FROM wind_turbine
GROUP BY device, HOP(ts, INTERVAL '1 minute', INTERVAL '10 minutes')
HAVING avg(wind_speed) > 4
