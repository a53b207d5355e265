-- --input=farm
CREATE QUERY groups_of_two_keys_beyond_the_limit WITH (group_limit = '4') AS
SELECT device, floor(wind_speed) AS bin, window_start, count(*) AS n FROM wind_turbine
GROUP BY device, floor(wind_speed), TUMBLE(ts, INTERVAL '1 minute')
