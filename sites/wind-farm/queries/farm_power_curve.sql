-- The power curve of each turbine: mean power in bins of half a metre per second, as a part of what its type plate says.
SELECT w.device,
       floor(w.wind_speed / 0.5) * 0.5 AS bin,
       window_start,
       avg(w.active_power) AS active_power,
       avg(w.active_power) / max(p.rated_kw) AS load,
       count(*) AS samples
FROM wind_turbine w
JOIN type_plate p ON p.device = w.device
WHERE w.pitch_angle < 5
GROUP BY w.device, floor(w.wind_speed / 0.5) * 0.5, TUMBLE(w.ts, INTERVAL '1 hour')
