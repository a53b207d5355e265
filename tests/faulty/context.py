"""What every harness is given: a folder, the programs, chance, and somewhere to say how far it is."""

import os
import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from .progress import Progress

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Context:
    """The surroundings of one run of the suite."""

    folder: Path
    """Scratch, on a disk."""
    progress: Progress
    short: bool
    chance: random.Random
    rooms: int = field(default=0, init=False)
    kept: list[Path] = field(default_factory=list, init=False)
    """What a person will want to look at."""

    def room(self, name: str) -> Path:
        """A new empty folder."""
        self.rooms += 1
        room = self.folder / f"{self.rooms:04}-{name}"
        room.mkdir()
        return room

    def keep(self, file: Path, name: str) -> None:
        """Puts a copy of a file where it outlives the run."""
        kept = self.folder / f"kept-{len(self.kept)}-{name}"
        shutil.copy(file, kept)
        self.kept.append(kept)

    def leave(self, room: Path) -> None:
        """Removes a folder of a round that went well."""
        shutil.rmtree(room, ignore_errors=True)

    def say(self, text: str) -> None:
        """Shows how far it is."""
        self.progress.say(text)


def gateway_binary() -> Path:
    """`EDGEWAY_BIN`, or the newer of the debug and the release build."""
    if named := os.environ.get("EDGEWAY_BIN"):
        return Path(named)
    return newest("edgeway", "cargo build -p edgeway")


def victim_binary(name: str) -> Path:
    """A victim written in Rust."""
    builds = {
        "journal_victim": "cargo build -p edgeway-journal --example journal_victim",
        "victim_sled": "cargo build -p edgeway-victims",
    }
    file = f"examples/{name}" if name == "journal_victim" else name
    return newest(file, builds[name])


def newest(file: str, build: str) -> Path:
    """The newer of the debug and the release build of a program."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    found = [path for profile in ("debug", "release") if (path := target / profile / file).exists()]
    if not found:
        raise FileNotFoundError(f"{file} is not built: {build}")
    return max(found, key=lambda path: path.stat().st_mtime)
