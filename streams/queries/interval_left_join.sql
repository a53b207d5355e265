-- --input=farm
-- Turbine 1 over 9 m/s beside turbine 2 within half a second, or alone.
SELECT a.device, a.ts AS one, b.ts AS other, b.wind_speed
FROM (SELECT * FROM wind_turbine WHERE device = 'wind-turbine-1' AND wind_speed > 9.8) a
LEFT JOIN (SELECT * FROM wind_turbine WHERE device = 'wind-turbine-2') b
  ON b.ts >= a.ts - INTERVAL '500 milliseconds' AND b.ts <= a.ts + INTERVAL '500 milliseconds'
