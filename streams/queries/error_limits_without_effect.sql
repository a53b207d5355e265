-- --fail=3:22: `at_limit` has no effect here (take it out)
-- --fail=4:22: `quality` has no effect here: the query reads no properties of devices (take it out)
CREATE QUERY a WITH (at_limit = 'evict') AS SELECT device FROM probe;
CREATE QUERY b WITH (quality = 'bad') AS SELECT device, code FROM probe.alarm;
