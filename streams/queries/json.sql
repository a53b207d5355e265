-- --input=nested
SELECT json_get_int(label, 'rssi') AS rssi, label -> 'tags' -> 1 AS tag, label ->> 'ok' AS ok, json_get_str(label, 'tags', 0) AS first,
  json_length(label) AS n, json_contains(label, 'rssi') AS has, json_get_float(label, 1) AS second, json_get_bool(label, 'ok') AS yes
FROM probe
