-- Each start of a turbine: from when the rotor turns until power flows.
SELECT device, window_start, window_end,
       max(rotor_speed) AS rotor_speed_max,
       count(*) AS reports
FROM wind_turbine
GROUP BY device, STATEWINDOW(rotor_speed > 2 AND active_power < 50, active_power >= 50)
