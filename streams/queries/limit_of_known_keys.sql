-- --input=limit
CREATE QUERY limit_of_known_keys WITH (group_limit = '3', at_limit = 'evict') AS
SELECT device, ts, lag(ts) OVER (PARTITION BY device) AS before FROM probe
