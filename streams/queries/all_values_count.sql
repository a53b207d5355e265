-- --input=quality
CREATE STREAM doubted FROM probe WITH (quality = 'bad');
CREATE QUERY all_values_count AS
SELECT d.device, window_start, sum(d.level) AS s, count(d.level) AS n, tw_avg(d.level, ts) AS mean, availability(d.level, ts) AS up FROM doubted AS d
GROUP BY d.device, TUMBLE(ts, INTERVAL '10 seconds')
