-- --input=nested
SELECT p.device, b.pitch, b.place FROM probe AS p CROSS JOIN UNNEST(p.blades) WITH ORDINALITY AS b(pitch, place)
