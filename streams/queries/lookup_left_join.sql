-- --input=farm
SELECT w.device, t.rated_kw, t.field, w.wind_speed
FROM wind_turbine w LEFT JOIN turbine t ON t.device = w.device AND t.rated_kw > 2000
WHERE w.wind_speed > 12.5
