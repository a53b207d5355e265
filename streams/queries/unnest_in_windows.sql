-- --input=nested
SELECT device, place, max(pitch) AS most, count(*) AS n
FROM probe CROSS JOIN UNNEST(blades) WITH ORDINALITY AS b(pitch, place)
GROUP BY device, place, TUMBLE(ts, INTERVAL '10 seconds')
