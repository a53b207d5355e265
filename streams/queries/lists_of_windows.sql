-- --input=nested
SELECT device, array_agg(place.x) AS xs, array_agg(DISTINCT label) AS labels FROM probe GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')
