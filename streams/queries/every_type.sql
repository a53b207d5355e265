SELECT count, level, open, mode, label, serviced, ts FROM probe
