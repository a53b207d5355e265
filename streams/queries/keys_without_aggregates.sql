SELECT device, window_end AS ts FROM wind_turbine GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')
