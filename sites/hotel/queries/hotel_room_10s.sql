-- Climate and power of each room, every ten seconds.
SELECT device,
       avg(temperature) AS temperature,
       avg(humidity) AS humidity,
       avg(power) AS power_w
FROM hotel_room
GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')
