-- --fail=5:42: TUMBLE behind FROM needs its window in GROUP BY (add GROUP BY window_start)
-- --fail=6:40: TUMBLE behind FROM begins with a table (write FROM TUMBLE(table, ts, INTERVAL '10 seconds'))
-- --fail=7:47: unknown table `wind_turbin` (did you mean `wind_turbine`?)
-- --fail=8:40: a function after FROM is not supported
CREATE QUERY a AS SELECT device, ts FROM TUMBLE(wind_turbine, ts, INTERVAL '5 seconds');
CREATE QUERY b AS SELECT count(*) FROM TUMBLE(INTERVAL '5 seconds') GROUP BY window_start;
CREATE QUERY c AS SELECT count(*) FROM TUMBLE(wind_turbin, ts, INTERVAL '5 seconds') GROUP BY window_start;
CREATE QUERY d AS SELECT count(*) FROM range(1, 5) GROUP BY window_start;
