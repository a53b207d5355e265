-- error: 2:26: `watermark_delay` has no effect here: the query reads another query's windows and follows that query's time (take it out)
CREATE QUERY query WITH (watermark_delay = '5s') AS SELECT count(*) AS n FROM up GROUP BY TUMBLE(ts, INTERVAL '1 minute')
