-- What each turbine did, every ten seconds: what the control room draws.
SELECT device,
       avg(wind_speed) AS wind_speed,
       avg(active_power) AS active_power,
       max(gear_oil_temperature) AS gear_oil_temperature_max,
       count(active_power) AS samples
FROM wind_turbine
GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')
