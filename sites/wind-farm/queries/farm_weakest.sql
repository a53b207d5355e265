-- The three turbines that made the least in ten minutes, and how far each is below the mean of the park.
SELECT device, window_start, active_power,
       active_power - avg(active_power) OVER (PARTITION BY window_start) AS below_mean,
       row_number() OVER (PARTITION BY window_start ORDER BY active_power) AS place
FROM (SELECT device, window_start, avg(active_power) AS active_power
      FROM wind_turbine GROUP BY device, TUMBLE(ts, INTERVAL '10 minutes')) t
QUALIFY place <= 3
