-- --input=nested
SELECT device, sum(pitch) AS total FROM probe CROSS JOIN UNNEST(blades) AS pitch GROUP BY device, COUNTWINDOW(2)
