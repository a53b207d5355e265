-- --input=farm
CREATE QUERY emit_early WITH (emit_every = '20s') AS
SELECT device, window_start, count(*) AS n, max(wind_speed) AS gust FROM wind_turbine
GROUP BY device, TUMBLE(ts, INTERVAL '1 minute') HAVING max(wind_speed) > 10
