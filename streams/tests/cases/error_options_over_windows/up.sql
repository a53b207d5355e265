SELECT device FROM probe GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')
