SELECT code, count(*) AS n, min(text) AS text FROM probe.alarm AS a WHERE a.code > 1 GROUP BY code, TUMBLE(ts, INTERVAL '1 minute')
