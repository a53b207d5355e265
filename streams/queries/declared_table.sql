-- --input=farm
CREATE TABLE plate (device TEXT PRIMARY KEY, rated_kw DOUBLE) WITH (source = 'turbine');
CREATE TABLE place (device TEXT PRIMARY KEY, rank BIGINT, mast TEXT) WITH (source = 'devices');

CREATE QUERY declared_table AS
SELECT w.device, p.rank * 2 AS rank, p.mast, plate.rated_kw, window_end, max(w.wind_speed) AS gust
FROM wind_turbine w JOIN plate ON plate.device = w.device JOIN place p ON p.device = w.device
GROUP BY w.device, p.rank, p.mast, plate.rated_kw, TUMBLE(w.ts, INTERVAL '2 minutes');
