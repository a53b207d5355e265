-- --input=farm
-- Gusts that the mast has seen within the five seconds before.
SELECT w.device, w.wind_speed, m.wind_speed AS mast_speed, w.ts AS seen, m.ts AS mast_seen
FROM wind_turbine w JOIN met_mast m ON m.ts BETWEEN w.ts - INTERVAL '5 seconds' AND w.ts AND m.wind_speed > 10.5
WHERE w.wind_speed > 12
