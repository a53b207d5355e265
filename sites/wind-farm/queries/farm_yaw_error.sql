-- How far each nacelle stands from the wind at its mast: the newest value of the mast for each report, then the mean of the
-- directions over ten minutes.
CREATE QUERY farm_yaw_error WITH (asof_tolerance = '10s') AS
SELECT w.device, window_start,
       circ_mean(w.nacelle_direction - m.wind_direction) AS yaw_error,
       count(m.wind_direction) AS samples
FROM wind_turbine w
JOIN devices d ON d.device = w.device
ASOF JOIN met_mast m MATCH_CONDITION (w.ts >= m.ts) ON m.device = d.mast
GROUP BY w.device, TUMBLE(w.ts, INTERVAL '10 minutes')
