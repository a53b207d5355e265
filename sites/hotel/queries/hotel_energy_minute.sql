-- What each room used in a minute, from its counter.
SELECT device,
       max(energy_total) - min(energy_total) AS energy_kwh
FROM hotel_room
GROUP BY device, TUMBLE(ts, INTERVAL '1 minute')
