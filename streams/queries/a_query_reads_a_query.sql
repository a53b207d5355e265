CREATE QUERY strong AS
SELECT device, wind_speed FROM wind_turbine WHERE wind_speed > 4;

CREATE QUERY ten AS
SELECT device, window_start, avg(wind_speed) AS mean FROM strong GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds');

CREATE QUERY a_query_reads_a_query AS
SELECT t.device, t.window_start AS from_time, t.mean * 2 AS twice FROM ten AS t WHERE mean > 5;
