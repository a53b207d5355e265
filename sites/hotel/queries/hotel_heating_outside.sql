-- Rooms whose window has stood open for ten minutes while the air conditioning ran.
CREATE QUERY hotel_heating_outside WITH (emit_rate = '1 per 10m per device') AS
SELECT device, window_end
FROM hotel_room
GROUP BY device, HOP(ts, INTERVAL '1 minute', INTERVAL '10 minutes')
HAVING time_in(window_open AND ac_power, ts) >= INTERVAL '10 minutes'
