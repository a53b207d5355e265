-- --input=quality
CREATE QUERY uncertain_values_count WITH (quality = 'uncertain') AS
SELECT device, window_start, sum(level) AS s, count(level) AS n, tw_avg(level, ts) AS mean, availability(level, ts) AS up FROM probe
GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')
