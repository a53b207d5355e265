SELECT device, wind_speed FROM wind_turbine WHERE wind_speed > 4
