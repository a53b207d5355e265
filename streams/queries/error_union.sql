-- --fail=7:44: UNION is not supported (write UNION ALL; to leave out rows that repeat, group by their columns and a window)
-- --fail=8:61: this SELECT has 1 columns, and the first of the UNION has 2 (write CAST(NULL AS DOUBLE) AS name where one has nothing to say)
-- --fail=9:61: `label` is TEXT, and `level` of the first SELECT is DOUBLE (write CAST(label AS DOUBLE))
-- --fail=10:54: rows of windows and single messages do not make one stream (give both a window, or none)
-- --fail=11:73: `active_power` is in `kW`, and `wind_speed` of the first SELECT in `m/s` (convert one of them, as in `speed / 3.6`)
-- --fail=12:44: EXCEPT is not supported
CREATE QUERY a AS SELECT device FROM probe UNION SELECT device FROM probe;
CREATE QUERY b AS SELECT device, level FROM probe UNION ALL SELECT device FROM probe;
CREATE QUERY c AS SELECT device, level FROM probe UNION ALL SELECT device, label FROM probe;
CREATE QUERY d AS SELECT device FROM probe UNION ALL SELECT device FROM probe GROUP BY device, TUMBLE(ts, INTERVAL '1 second');
CREATE QUERY e AS SELECT device, wind_speed FROM wind_turbine UNION ALL SELECT device, active_power FROM wind_turbine;
CREATE QUERY f AS SELECT device FROM probe EXCEPT SELECT device FROM probe;
