-- Mean power of the whole farm since the hour began, every ten minutes.
SELECT window_start AS hour,
       avg(active_power) AS active_power,
       count(active_power) AS samples
FROM wind_turbine
GROUP BY CUMULATE(ts, INTERVAL '10 minutes', INTERVAL '1 hour')
