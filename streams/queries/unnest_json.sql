-- --input=nested
SELECT device, item, json_get_float(item, 'k') AS k
FROM (SELECT device, ts, json_get_array(label, 'tags') AS tags FROM probe) AS t CROSS JOIN UNNEST(tags) AS item
