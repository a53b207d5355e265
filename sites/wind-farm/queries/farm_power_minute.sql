-- The park's power, every minute. All eight turbines report once a second, so the mean of their readings times eight is
-- the mean of their sum.
SELECT 8 * avg(active_power) AS power_kw,
       max(active_power) AS best_turbine_kw,
       count(active_power) AS samples
FROM wind_turbine
GROUP BY TUMBLE(ts, INTERVAL '1 minute')
