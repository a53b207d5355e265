-- --input=nested
SELECT device, place.x, p.place.y + 1 AS y, "place.quality" AS q FROM probe AS p WHERE place.x > 1 OR place.x IS NULL
