-- --input=farm
CREATE FUNCTION knots(speed DOUBLE) AS speed * 3600 / 1852;
CREATE FUNCTION beyond(speed, limit_knots) AS knots(speed) > limit_knots;
CREATE STREAM turbine_fast FROM THING 'wind-turbine' WITH (watermark_delay = '5s', idle_timeout = '30s');
CREATE VIEW gusts AS SELECT device, knots(wind_speed) AS kn FROM turbine_fast WHERE beyond(wind_speed, 24.5);

CREATE QUERY functions_declared AS SELECT device, count(*) AS n, max(kn) AS kn FROM gusts GROUP BY device, TUMBLE(ts, INTERVAL '1 minute');
