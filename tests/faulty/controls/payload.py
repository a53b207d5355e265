"""Items that say themselves whether they are sound."""

import hashlib
import itertools

PAYLOAD_BYTES = 300
BACKLOG = 2_000
"""Items that wait for the consumer."""


def payload(seq: int) -> bytes:
    """Every byte follows from the number; it cannot be compressed."""
    parts = (hashlib.sha512(b"%d/%d" % (seq, part)).digest() for part in itertools.count())
    return b"".join(itertools.islice(parts, 5))[:PAYLOAD_BYTES]


def say(line: str) -> None:
    """At once, so that it counts when the process is killed."""
    print(line, flush=True)
