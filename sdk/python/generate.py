"""Makes edgeway_driver/driver_pb2.py and .pyi from ../wire/proto/driver.proto.

Alone it writes them; with --check it exits with 1 if they are not what the proto says now.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

HERE = Path(__file__).parent
PROTO = HERE.parent / "wire" / "proto"
MADE = ("edgeway_driver/driver_pb2.py", "edgeway_driver/driver_pb2.pyi")


def generate(folder: Path) -> None:
    """Writes both files into `folder`."""
    # Named edgeway_driver/driver.proto: descriptors share one pool, and another package may have a driver.proto too.
    arguments = [
        "protoc",
        f"-Iedgeway_driver={PROTO}",
        f"--plugin=protoc-gen-mypy={Path(sys.executable).parent / 'protoc-gen-mypy'}",
        f"--python_out={folder}",
        f"--mypy_out=quiet:{folder}",
        "edgeway_driver/driver.proto",
    ]
    if protoc.main(arguments) != 0:
        raise SystemExit(f"protoc failed: {' '.join(arguments)}")


def stale() -> list[str]:
    """The files that are not what the proto says now."""
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        return [name for name in MADE if (Path(folder) / name).read_bytes() != (HERE / name).read_bytes()]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    if not parser.parse_args().check:
        generate(HERE)
    elif names := stale():
        raise SystemExit(f"not what {PROTO / 'driver.proto'} says now: {', '.join(names)}; run generate.py")


if __name__ == "__main__":
    main()
