SELECT device, quality, wind_speed, active_power FROM wind_turbine
