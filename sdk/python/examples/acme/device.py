"""A device that speaks the Acme line protocol: `python3 device.py PORT`.

Register r of unit u holds u * 1000 + r. Registers 0 to 99 exist, 50 to 59 can be written.

    R 7 12          what is in register 12 of unit 7?     7 12 7012
    W 7 50 3405     put 3405 into register 50 of unit 7   7 50 3405
    R 7 100         no such register                      7 100 !2

Refusals: !1 is no question, !2 no such register, !3 cannot be written.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio import StreamReader, StreamWriter

REGISTERS = range(100)
WRITABLE = range(50, 60)
UNITS = range(1, 248)


class Device:
    """What its registers hold."""

    def __init__(self) -> None:
        """As it is when it is switched on."""
        self.written: dict[tuple[int, int], int] = {}

    def answer(self, question: str) -> str | None:
        """The answer to a line; none for a unit that is not there."""
        match question.split():
            case ["R", *numbers] if len(numbers) == 2 and all(map(is_number, numbers)):
                unit, register = map(int, numbers)
                return self.read(unit, register) if unit in UNITS else None
            case ["W", *numbers] if len(numbers) == 3 and all(map(is_number, numbers)):
                unit, register, value = map(int, numbers)
                return self.write(unit, register, value) if unit in UNITS else None
        return "0 0 !1"

    def read(self, unit: int, register: int) -> str:
        """What a register holds."""
        if register not in REGISTERS:
            return f"{unit} {register} !2"
        return f"{unit} {register} {self.written.get((unit, register), unit * 1000 + register)}"

    def write(self, unit: int, register: int, value: int) -> str:
        """Changes a register, and says what it holds then."""
        if register in REGISTERS and register not in WRITABLE:
            return f"{unit} {register} !3"
        if register in WRITABLE:
            self.written[unit, register] = value
        return self.read(unit, register)

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """One connection."""
        try:
            while line := await reader.readline():
                answer = self.answer(line.decode(errors="replace"))
                if answer is not None:
                    writer.write(f"{answer}\n".encode())
                    await writer.drain()
        except (OSError, ValueError):
            # The other end has gone, or sends a line without end.
            pass
        finally:
            writer.close()


def is_number(text: str) -> bool:
    """Whether it is a whole number."""
    return text.removeprefix("-").isdecimal()


async def main(port: int) -> None:
    """Listens until it is ended. Port 0 is one that is free; which one is printed."""
    server = await asyncio.start_server(Device().serve, "127.0.0.1", port)
    print(f"acme device on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1].isdecimal():
        sys.exit(__doc__)
    asyncio.run(main(int(sys.argv[1])))
