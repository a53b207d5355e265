-- The wind at the mast, every minute: mean, gust and direction.
SELECT device,
       avg(wind_speed) AS wind_speed,
       max(wind_speed) AS gust,
       circ_mean(wind_direction) AS wind_direction
FROM met_mast
GROUP BY device, TUMBLE(ts, INTERVAL '1 minute')
