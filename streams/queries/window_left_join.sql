-- --input=farm
WITH farm AS (
  SELECT device, window_start, max(wind_speed) AS gust FROM wind_turbine GROUP BY device, TUMBLE(ts, INTERVAL '20 seconds')
), mast AS (
  SELECT window_start, max(wind_speed) AS gust FROM met_mast GROUP BY TUMBLE(ts, INTERVAL '20 seconds')
)
SELECT farm.device, farm.window_start, farm.gust, mast.gust AS mast_gust
FROM farm LEFT JOIN mast ON mast.window_start = farm.window_start AND mast.gust < farm.gust
