-- --fail=2:1: `m/s` is compared with `rpm` in `max(wind_turbine.wind_speed) + Float64(1) > avg(wind_turbine.rotor_speed)` (convert one of them, as in `speed / 3.6`)
SELECT device, max(wind_speed) AS gust FROM wind_turbine GROUP BY device, TUMBLE(ts, INTERVAL '1 minute')
HAVING max(wind_speed) + 1 > avg(rotor_speed)
