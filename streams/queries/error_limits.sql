-- --fail=3:33: `stop` is not known (write 'drop' or 'evict')
-- --fail=4:33: `fine` is not known (write 'good', 'uncertain', 'stale' or 'bad')
CREATE QUERY a WITH (at_limit = 'stop') AS SELECT device, lag(level) OVER (PARTITION BY device) AS l FROM probe;
CREATE QUERY bb WITH (quality = 'fine') AS SELECT device FROM probe;
