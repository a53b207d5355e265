-- --input=nested
SELECT device, fuse, array_length(strings) AS n FROM probe, UNNEST(strings) WITH ORDINALITY AS s
