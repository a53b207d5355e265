-- --fail=2:1: support for 'approx_distinct' for data type Float64 is not implemented
SELECT approx_distinct(wind_speed) AS n FROM wind_turbine GROUP BY TUMBLE(ts, INTERVAL '1 minute')
