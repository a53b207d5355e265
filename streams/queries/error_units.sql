-- --fail=2:54: `m/s` is compared with `kW` in `wind_turbine.wind_speed < wind_turbine.active_power` (convert one of them, as in `speed / 3.6`)
SELECT device FROM wind_turbine WHERE active_power > wind_speed
