-- --fail=5:47: `watermark_delay` has no effect here: the query reads another query's windows and follows that query's time (take it out)
CREATE QUERY up AS
SELECT device FROM probe GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds');

CREATE QUERY error_options_over_windows WITH (watermark_delay = '5s') AS SELECT count(*) AS n FROM up GROUP BY TUMBLE(ts, INTERVAL '1 minute');
