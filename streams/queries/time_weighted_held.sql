-- --input=changes
-- A value that is not reported again within 25 seconds does not stand any more.
CREATE QUERY time_weighted_held WITH (hold = '25s') AS
SELECT device, window_end, tw_avg(wind_speed, ts) AS mean FROM wind_turbine
GROUP BY device, CUMULATE(ts, INTERVAL '10 seconds', INTERVAL '30 seconds')
