"""A web service that takes batches by POST and refuses what a harness wants refused."""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .checker import wall_seconds

BODY_BYTES_MAX = 4 << 20
BROKEN_UTF8 = b"not liked: \xff\xfe\x80 \xc3\x28"
"""What it says to a refusal: a peer's words are bytes, too."""


class WebService:
    """Takes a JSON object a line. Answers 204, 413 to a body above `BODY_BYTES_MAX`, and 422 to a batch with a message that
    is refused."""

    def __init__(self, refuses: Callable[[dict[str, Any]], bool]) -> None:
        self.refuses, self.lock = refuses, threading.Lock()
        self.delays_s: dict[str, float] = {}
        """How old each accepted message was when it came, by id."""
        self.refused: set[str] = set()
        """Messages that were refused when they came alone."""
        self.too_large = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server.server_address[1]}/in"

    def answer(self, body: bytes) -> int:
        """Takes a batch, all of it or nothing."""
        with self.lock:
            if len(body) > BODY_BYTES_MAX:
                self.too_large += 1
                return 413
            batch = [json.loads(line) for line in body.splitlines()]
            if any(map(self.refuses, batch)):
                self.refused |= {message["id"] for message in batch if len(batch) == 1}
                return 422
            self.accept(batch)
            return 204

    def accept(self, batch: list[dict[str, Any]]) -> None:
        """Everything in it has arrived."""
        for message in batch:
            self.delays_s.setdefault(message["id"], time.time() - wall_seconds(message["time"]))

    def __enter__(self) -> "WebService":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


class Liar(WebService):
    """Says 204 to everything, and keeps what it does not like to itself."""

    def answer(self, body: bytes) -> int:
        """Takes a batch."""
        with self.lock:
            batch = [json.loads(line) for line in body.splitlines()]
            self.refused |= {message["id"] for message in batch if self.refuses(message)}
            self.accept([message for message in batch if not self.refuses(message)])
            return 204


def handler(service: WebService) -> type[BaseHTTPRequestHandler]:
    """Reads requests and asks the service."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = service.answer(body)
            words = b"" if status == 204 else BROKEN_UTF8
            self.send_response(status)
            self.send_header("content-length", str(len(words)))
            self.end_headers()
            self.wfile.write(words)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    return Handler
