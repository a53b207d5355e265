-- --input=farm
-- The turbine's wind against the last value of its mast, at most 10 seconds old; without one in the gap.
CREATE QUERY asof_join WITH (asof_tolerance = '10s') AS
SELECT w.device, window_start, avg(w.wind_speed - m.wind_speed) AS over_mast, count(m.wind_speed) AS matched, count(*) AS n
FROM wind_turbine w
JOIN devices d ON d.device = w.device
ASOF JOIN met_mast m MATCH_CONDITION (w.ts >= m.ts) ON m.device = d.mast
GROUP BY w.device, TUMBLE(w.ts, INTERVAL '30 seconds')
