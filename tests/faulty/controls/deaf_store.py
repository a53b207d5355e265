"""A log that does not listen to what fdatasync answers: `python -m faulty.controls.deaf_store DIR [--verify --acked SEQ]`.

What it prints is the protocol of `tests/victims/src/victim_sled.rs`.
"""

import contextlib
import itertools
import json
import os
import sys
from pathlib import Path

from .payload import PAYLOAD_BYTES, payload, say

GROUP_ITEMS_MAX = 64
ITEM_BYTES = 8 + PAYLOAD_BYTES


def append(path: Path) -> None:
    """Appends until somebody ends it."""
    with path.open("ab", buffering=0) as log:
        head = path.stat().st_size // ITEM_BYTES
        for group in itertools.cycle(range(1, GROUP_ITEMS_MAX + 1)):
            with contextlib.suppress(OSError):
                log.write(b"".join(seq.to_bytes(8, "big") + payload(seq) for seq in range(head, head + group)))
                os.fdatasync(log.fileno())
            head += group
            say(f"durable {head - 1}")


def verify(path: Path) -> dict[str, object]:
    """What is in the log."""
    data = path.read_bytes() if path.exists() else b""
    items = [data[at : at + ITEM_BYTES] for at in range(0, len(data), ITEM_BYTES)]
    wrong = sum(item != seq.to_bytes(8, "big") + payload(seq) for seq, item in enumerate(items))
    return {"opened": True, "first": 0, "head": len(items), "missing": 0, "wrong": wrong, "lost": 0}


def main() -> None:
    """What the command line says."""
    folder, *rest = sys.argv[1:]
    path = Path(folder) / "log"
    if "--verify" in rest:
        say(json.dumps(verify(path)))
    else:
        append(path)


if __name__ == "__main__":
    main()
