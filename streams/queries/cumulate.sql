-- The minute so far, told every twenty seconds.
SELECT device, window_start, window_end, sum(wind_speed) AS total, count(*) AS n
FROM wind_turbine
GROUP BY device, CUMULATE(ts, INTERVAL '20 seconds', INTERVAL '1 minute')
HAVING count(*) > 1
