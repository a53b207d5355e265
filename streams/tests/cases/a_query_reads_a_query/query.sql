SELECT t.device, t.window_start AS from_time, t.mean * 2 AS twice FROM ten AS t WHERE mean > 5
