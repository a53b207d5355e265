"""A device with values that stand still, but for what is put: what the conformance kit puts the driver to the test with.

    python3 device.py PORT
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STATUS = {"power": {"total": 3405, "factor": 0.97}, "name": "METER-7", "on": True, "phases": [401, 402, 403]}
SETTINGS = {"/meter/limit": {"limit": 4812}, "/pump/speed": {"speed": 1450}}


class Device(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one piece, and at once.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self):
        if self.path == "/meter/status":
            self.answer(200, STATUS)
        elif self.path == "/pump/rate?unit=lpm":
            self.answer(200, 12.5)
        elif self.path in SETTINGS:
            self.answer(200, SETTINGS[self.path])
        else:
            self.answer(404, {"error": "not here"})

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/pump/reset":
            self.answer(200, {})
        elif self.path in SETTINGS:
            SETTINGS[self.path] = json.loads(body)
            self.answer(200, {})
        else:
            self.answer(404, {"error": "not here"})

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response_only(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


Server(("127.0.0.1", int(sys.argv[1])), Device).serve_forever()
