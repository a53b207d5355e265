-- --fail=2:1: `ts` is the time of the row, which this column is not (call it something else)
SELECT device, min(level) AS ts FROM probe GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')
