-- --input=nested
SELECT device, count(*) AS n, sum(pitch) AS total FROM probe CROSS JOIN UNNEST(blades) AS pitch
GROUP BY device, SESSION(ts, INTERVAL '5 seconds')
