-- --fail=2:40: `serviced` is not the time of the row, as `ts` of the first SELECT is (select ts here too, or call it something else there)
SELECT device, ts FROM probe UNION ALL SELECT device, serviced FROM probe
