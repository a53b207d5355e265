-- --fail=8:65: no table before this has a column `blade` (did you mean `blades`?)
-- --fail=9:65: `level` is not an array
-- --fail=10:65: `pitch, place` are more names than an element of `blades` has columns: 1 (take names away)
-- --fail=11:65: UNNEST takes a column that is an array (compute it in a sub-query: FROM (SELECT ..., string_to_array(label, ',') AS items FROM ...) AS t CROSS JOIN UNNEST(t.items))
-- --fail=12:64: an UNNEST is joined by CROSS JOIN, or by LEFT JOIN ... ON TRUE (put conditions on its elements into WHERE)
-- --fail=13:34: `unnest` stands in FROM only (write FROM table AS t CROSS JOIN UNNEST(t.array) AS value)
-- --fail=14:65: WITH OFFSET is not supported (write WITH ORDINALITY, whose places count from 1)
CREATE QUERY a AS SELECT device, b FROM probe CROSS JOIN UNNEST(blade) AS b;
CREATE QUERY b AS SELECT device, b FROM probe CROSS JOIN UNNEST(level) AS b;
CREATE QUERY c AS SELECT device, b FROM probe CROSS JOIN UNNEST(blades) AS b(pitch, place);
CREATE QUERY d AS SELECT device, b FROM probe CROSS JOIN UNNEST(string_to_array(label, ',')) AS b;
CREATE QUERY e AS SELECT device, b FROM probe LEFT JOIN UNNEST(blades) AS b ON b > 3;
CREATE QUERY f AS SELECT device, UNNEST(blades) AS b FROM probe;
CREATE QUERY g AS SELECT device, b FROM probe CROSS JOIN UNNEST(blades) AS b WITH OFFSET;
