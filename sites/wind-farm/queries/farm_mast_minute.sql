-- The wind at the mast, every minute: mean and gust.
SELECT device,
       avg(wind_speed) AS wind_speed,
       max(wind_speed) AS gust
FROM met_mast
GROUP BY device, TUMBLE(ts, INTERVAL '1 minute')
