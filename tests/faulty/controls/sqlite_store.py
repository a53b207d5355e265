"""A queue in SQLite: `python -m faulty.controls.sqlite_store LEVEL DIR [--verify --acked SEQ]`.

LEVEL is `NORMAL` (a commit is not on disk: a power cut takes it), `FULL` (it is, at the price of what is written) or `OFF`.
What it prints is the protocol of `tests/victims/src/victim_sled.rs`.
"""

import itertools
import json
import sqlite3
import sys
from pathlib import Path

from .payload import BACKLOG, payload, say

GROUP_ITEMS_MAX = 64
CHECKPOINT_PAGES = 4_000
"""Four times the default, as in applications that write in bursts: what is behind the last checkpoint is not on disk."""


def opened(folder: Path, level: str) -> sqlite3.Connection:
    """The database, with its table."""
    db = sqlite3.connect(folder / "queue.sqlite", isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute(f"PRAGMA synchronous={level}")
    db.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    db.execute("CREATE TABLE IF NOT EXISTS queue (seq INTEGER PRIMARY KEY, body BLOB)")
    return db


def append(db: sqlite3.Connection) -> None:
    """Appends until somebody ends it."""
    first, head = ends(db)
    for group in itertools.cycle(range(1, GROUP_ITEMS_MAX + 1)):
        db.execute("BEGIN")
        db.executemany("INSERT INTO queue VALUES (?, ?)", ((seq, payload(seq)) for seq in range(head, head + group)))
        db.execute("COMMIT")
        head += group
        say(f"durable {head - 1}")
        if head - first > BACKLOG:
            first = head - BACKLOG
            db.execute("DELETE FROM queue WHERE seq < ?", (first,))
            say(f"ack {first}")


def ends(db: sqlite3.Connection) -> tuple[int, int]:
    """The oldest item, and the place behind the newest."""
    first, last = db.execute("SELECT min(seq), max(seq) FROM queue").fetchone()
    return (first or 0, 0 if last is None else last + 1)


def verify(folder: Path, level: str) -> dict[str, object]:
    """What is in the store."""
    try:
        db = opened(folder, level)
        first, head = ends(db)
        bodies = db.execute("SELECT seq, body FROM queue").fetchall()
    except sqlite3.DatabaseError as error:
        return {"opened": False, "error": str(error)}
    wrong = sum(body != payload(seq) for seq, body in bodies)
    missing = head - first - len(bodies)
    return {"opened": True, "first": first, "head": head, "missing": missing, "wrong": wrong, "lost": 0}


def main() -> None:
    """What the command line says."""
    level, folder, *rest = sys.argv[1:]
    if "--verify" in rest:
        say(json.dumps(verify(Path(folder), level)))
    else:
        append(opened(Path(folder), level))


if __name__ == "__main__":
    main()
