-- --input=nested
SELECT blades, blades[1] AS first, blades[2:3] AS middle, array_length(blades) AS n, array_max(blades) AS most,
  array_avg(blades) AS mean, strings[1]['current'] AS amps, array_has(blades, 20.0) AS has, [1, 2] AS made
FROM probe
