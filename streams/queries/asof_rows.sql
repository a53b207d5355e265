-- --input=farm
SELECT w.device, w.ts, m.ts AS mast_time, m.wind_direction
FROM wind_turbine w ASOF JOIN met_mast m MATCH_CONDITION (w.ts >= m.ts) ON m.device = 'met-mast-1'
WHERE w.wind_speed > 12.3
