-- --input=nested
SELECT device, sum(place.x) AS x, tw_avg(place.y, ts) AS y FROM probe GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')
