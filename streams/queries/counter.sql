-- --input=changes
SELECT device, window_start, counter_increase(energy_total, ts) AS kwh, first(energy_total, ts) AS first, last(energy_total, ts) AS last
FROM wind_turbine GROUP BY device, TUMBLE(ts, INTERVAL '20 seconds')
