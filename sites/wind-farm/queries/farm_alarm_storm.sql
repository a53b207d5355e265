-- Bursts of alarms: five and more with less than a minute between them, at most an hour long.
SELECT device, window_start, window_end,
       count(*) AS alarms,
       count(DISTINCT code) AS codes,
       first_value(code ORDER BY ts) AS first_code
FROM wind_turbine.alarm
GROUP BY device, SESSION(ts, INTERVAL '60 seconds', INTERVAL '1 hour')
HAVING count(*) >= 5
