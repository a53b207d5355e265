-- --input=limit
CREATE QUERY limit_of_changes WITH (emit = 'change', hold = '5s', group_limit = '2') AS SELECT device, level FROM probe
