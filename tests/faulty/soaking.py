"""The soak: all faults at random for a while, then a page of figures."""

import json
import time
from dataclasses import dataclass

from . import chaos
from .chaos import Story
from .context import Context


@dataclass(frozen=True)
class Page:
    """What the soak came to."""

    seconds: float
    story: Story

    @property
    def sound(self) -> bool:
        """Every promise held."""
        return self.story.sound

    def rows(self) -> list[tuple[str, str, str]]:
        """What, how much, and what was promised."""
        story = self.story
        return [
            ("time", f"{self.seconds / 60:.1f} min", ""),
            ("faults", f"{story.faults.total():,}", ""),
            *((f"  {name.replace('_', ' ')}", f"{count:,}", "") for name, count in sorted(story.faults.items())),
            ("messages arrived", f"{story.arrived:,}", ""),
            ("messages a second", f"{story.arrived / max(self.seconds, 1):,.0f}", ""),
            ("acknowledged and lost", f"{story.lost:,}", "0"),
            ("inversions of a device", f"{story.inversions:,}", "0"),
            ("repeats by unknown id", f"{story.strangers:,}", "0"),
            ("repeats by known id", f"{story.repeats:,}", ""),
            ("imbalance of accounts", f"{story.imbalance:,}", "0"),
            ("expired by ttl", f"{story.expired:,}", ""),
            ("dropped by policy", f"{story.dropped:,}", ""),
            ("memory at most", f"{story.resident_bytes_max / (1 << 20):.0f} MiB", ""),
        ]

    def __str__(self) -> str:
        lines = [f"{what:<28}{figure:>14}  {f'promised {goal}' if goal else ''}".rstrip() for what, figure, goal in self.rows()]
        return "\n".join([*lines, *self.story.notes, "sound" if self.sound else "NOT SOUND"])

    def as_json(self) -> str:
        """For programs."""
        return json.dumps({what.strip(): figure for what, figure, _ in self.rows()} | {"sound": self.sound}, indent=2)


def soak(seconds: float, ctx: Context) -> Page:
    """Lives through it."""
    ctx.progress.begin("soak")
    start = time.monotonic()
    with chaos.world(ctx) as world:
        while time.monotonic() - start < seconds:
            world.misfortune(ctx)
            ctx.say(f"{time.monotonic() - start:.0f} of {seconds:.0f} s, {world.line.count():,} arrived")
        story = world.end()
    return Page(time.monotonic() - start, story)
