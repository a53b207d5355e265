SELECT device, stddev(level) AS sd, var_pop(level) AS var, median(level) AS med, count(DISTINCT count) AS kinds,
       approx_distinct(label) AS labels, first_value(level ORDER BY ts) AS first, last_value(level ORDER BY ts) AS last,
       bool_and(open) AS all_open, approx_percentile_cont(level, 0.5) AS p50, string_agg(label, ',') AS all_labels,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY level) AS p, corr(level, count) AS c
FROM probe GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')
