-- --input=nested
SELECT device, count(*) AS n FROM probe CROSS JOIN UNNEST(blades) WITH ORDINALITY AS b GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')
