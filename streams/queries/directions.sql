-- Where the wind comes from around north, and how far the nacelle is from there.
SELECT device, window_start, round(circ_mean(wind_direction), 6) AS wind, round(circ_stddev(wind_direction), 6) AS spread,
       round(circ_mean(nacelle_direction - wind_direction), 6) AS yaw
FROM wind_turbine
GROUP BY device, HOP(ts, INTERVAL '10 seconds', INTERVAL '20 seconds')
