SELECT label, open, count(*) AS n FROM probe GROUP BY label, open, TUMBLE(ts, INTERVAL '10 seconds')
