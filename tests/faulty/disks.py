"""Disks of our own: loop devices and mounts, which are gone when their context is left or the suite ends."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from .figure import Unavailable
from .process import Late, run, wait_for

SECTOR_BYTES = 512
UNUSED_WITHIN_S = 5.0


def need_root() -> None:
    """Loop devices and mounts are root's."""
    if os.geteuid() != 0:
        raise Unavailable("making loop devices and mounts needs root (CAP_SYS_ADMIN)")


@contextlib.contextmanager
def mounted(what: str | Path, at: Path, *options: str) -> Iterator[Path]:
    """Mounts something on a folder, which is made."""
    need_root()
    at.mkdir(exist_ok=True)
    try:
        run("mount", *options, what, at)
    except RuntimeError as error:
        raise Unavailable(f"this machine may not mount: {error}") from error
    try:
        yield at
    finally:
        unmount(at)


def unmount(at: Path) -> None:
    """Takes a mount away; one that stays busy goes when its last user does."""
    with contextlib.suppress(Late):
        wait_for(f"the last user of {at}", UNUSED_WITHIN_S, lambda: unmounted(at))
        return
    run("umount", "--lazy", at)


def unmounted(at: Path) -> bool:
    """Tries to take a mount away."""
    try:
        run("umount", at)
    except RuntimeError:
        return False
    return True


@contextlib.contextmanager
def memory_disk(at: Path, megabytes: int) -> Iterator[Path]:
    """A tmpfs."""
    with mounted("tmpfs", at, "-t", "tmpfs", "-o", f"size={megabytes}m"):
        yield at


def format_ext4(image: Path, megabytes: int) -> None:
    """Makes an image with an empty ext4."""
    image.unlink(missing_ok=True)
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    run("mkfs.ext4", "-q", "-F", image)


@contextlib.contextmanager
def image_disk(image: Path, at: Path) -> Iterator[Path]:
    """Mounts an image through a loop device."""
    with mounted(image, at, "-o", "loop"):
        yield at


@contextlib.contextmanager
def reflink_disk(room: Path, megabytes: int) -> Iterator[Path]:
    """An XFS on which a copy of a file of any size is made at one instant."""
    need_root()
    image = room / "reflink.xfs"
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    run("mkfs.xfs", "-q", "-m", "reflink=1", image)
    with image_disk(image, room / "reflink"):
        yield room / "reflink"


def snapshot(image: Path, copy: Path) -> None:
    """Copies a file as it is at this instant, without what is only in the page cache of a file system within."""
    run("cp", "--reflink=always", image, copy)


def written_bytes(mount: Path) -> int:
    """Bytes that have reached the loop device under a mount."""
    name = run("findmnt", "-n", "-o", "SOURCE", mount).strip().rpartition("/")[2]
    sectors = int(Path(f"/sys/block/{name}/stat").read_text().split()[6])
    return sectors * SECTOR_BYTES


def used_bytes(folder: Path) -> int:
    """What the files of a folder take on disk, in real blocks."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.lstat(Path(parent, name)).st_blocks * SECTOR_BYTES
    return total


def free_bytes(folder: Path) -> int:
    """What is left of the file system."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def fill(folder: Path, leave_bytes: int = 0) -> Path:
    """Takes all space but so much with a foreign file."""
    foreign = folder / "foreign.bin"
    block = b"\xa5" * (64 << 10)
    with foreign.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while free_bytes(folder) > leave_bytes:
            file.write(block)
        while leave_bytes == 0:
            file.write(block[:4096])
    with foreign.open("rb") as file, contextlib.suppress(OSError):
        os.fsync(file.fileno())
    return foreign
