-- --input=nested
SELECT * FROM probe
