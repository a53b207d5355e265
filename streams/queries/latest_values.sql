-- --input=changes
-- Every report with the newest value of what it does not say, and which columns are new.
SELECT device, ts, latest(wind_speed) OVER (PARTITION BY device) AS wind_speed, latest(energy_total) OVER (PARTITION BY device) AS energy,
       changed_cols(wind_speed, active_power, energy_total) OVER (PARTITION BY device) AS news,
       row_number() OVER (PARTITION BY device) AS number
FROM wind_turbine
