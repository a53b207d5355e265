-- What guests have set, with what it was before; at most one row for each room in five seconds.
CREATE QUERY hotel_setpoints WITH (emit_rate = '1 per 5s per device') AS
SELECT device, ts, setpoint, lag(setpoint) IGNORE NULLS OVER (PARTITION BY device) AS before
FROM hotel_room
WHERE had_changed(setpoint) OVER (PARTITION BY device)
