-- --fail=2:46: windows that late rows still change are kept, so that to tell them early makes no room (take `allowed_lateness` out, or set at_limit = 'drop')
CREATE QUERY error_evict_with_lateness WITH (at_limit = 'evict', allowed_lateness = '10s') AS
SELECT device, count(*) AS n FROM probe GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')
