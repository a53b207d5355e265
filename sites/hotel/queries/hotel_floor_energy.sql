-- What each floor has used in an hour, from counters that may begin again at zero.
SELECT d.floor, m.window_start, sum(m.energy_kwh) AS energy_kwh, count(*) AS rooms
FROM (SELECT device, window_start, counter_increase(energy_total, ts) AS energy_kwh
      FROM hotel_room GROUP BY device, TUMBLE(ts, INTERVAL '1 hour')) m
JOIN devices d ON d.device = m.device
GROUP BY d.floor, m.window_start
