-- Load of the whole floor at its meter, every minute: mean and peak.
SELECT device,
       avg(active_power) AS power_mean_w,
       max(active_power) AS power_max_w
FROM energy_meter
GROUP BY device, TUMBLE(ts, INTERVAL '1 minute')
