SELECT device, window_start, avg(wind_speed) AS mean FROM strong GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')
