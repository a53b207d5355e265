-- --input=nested
SELECT device, s.current, fuse FROM probe, UNNEST(strings) AS s WHERE s.current > 0.5
