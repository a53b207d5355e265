-- --input=nested
SELECT device, ts, pitch FROM probe LEFT JOIN UNNEST(blades) AS pitch ON TRUE
