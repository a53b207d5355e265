-- When somebody was in a room: sightings with less than a quarter of an hour between them are one stay.
SELECT r.device, d.side, window_start AS arrived, window_end AS left_by, count(*) AS sightings
FROM hotel_room r
JOIN devices d ON d.device = r.device
WHERE r.presence
GROUP BY r.device, d.side, SESSION(r.ts, INTERVAL '15 minutes', INTERVAL '24 hours')
