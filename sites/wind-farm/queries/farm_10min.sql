-- The statistics of IEC 61400-12: ten minutes of each turbine, told only if nine minutes of them are there. Power counts for
-- as long as it stood.
CREATE QUERY farm_10min WITH (watermark_delay = '10s', state_limit = '16MiB') AS
SELECT device, window_start, window_end,
       avg(wind_speed) AS wind_speed,
       stddev(wind_speed) AS wind_speed_sd,
       tw_avg(active_power, ts) AS active_power,
       min(active_power) AS active_power_min,
       max(active_power) AS active_power_max,
       count(wind_speed) AS samples
FROM wind_turbine
GROUP BY device, TUMBLE(ts, INTERVAL '10 minutes')
HAVING count(wind_speed) >= 540
