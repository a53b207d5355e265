SELECT upper(label) AS l, round(level, 1) AS r, CASE WHEN open THEN 'open' ELSE 'shut' END AS o, CAST(count AS TEXT) AS c,
       date_trunc('minute', ts) AS m, extract(second FROM ts) AS s, coalesce(level, -1.0) AS known, power(2, count) AS p, 7 % 4
FROM probe
