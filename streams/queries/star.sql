SELECT * FROM probe WHERE count BETWEEN 2 AND 3 OR label LIKE 'x%'
