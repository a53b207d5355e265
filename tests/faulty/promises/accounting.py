"""A property test of the ledger: whatever happens, taken = delivered + queued + expired + dropped + dead, and what is
delivered is there.
"""

from .. import chaos
from ..context import Context
from ..figure import Figure
from ..proxy import Proxy
from ..taps import Liar

NAME = "accounting"
GOAL = "imbalance 0"
ROUNDS = 60
ROUNDS_SHORT = 5
CONTROL = "a broker that acknowledges and drops 1 in 20"


def run(rounds: int, ctx: Context) -> Figure:
    """So many faults at random."""
    with chaos.world(ctx) as world:
        for turn in range(rounds):
            world.misfortune(ctx)
            ctx.say(f"fault {turn + 1} of {rounds}: {dict(world.story.faults)}")
        return figure(world.end())


def figure(story: chaos.Story) -> Figure:
    """What the story comes to."""
    text = (
        f"imbalance {story.imbalance}, {story.lost} lost of {story.arrived:,}; {story.expired:,} expired, "
        f"{story.dropped:,} dropped, {story.repeats:,} repeats"
    )
    numbers = {
        "imbalance": story.imbalance, "lost": story.lost, "arrived": story.arrived, "expired": story.expired,
        "dropped": story.dropped, "repeats": story.repeats, "inversions": story.inversions,
    }
    return Figure(story.faults.total(), "; ".join([text, *story.notes]), story.sound, numbers)


def control(ctx: Context) -> Figure:
    """A target that says it has what it has not."""
    with chaos.world(ctx, liar) as world:
        world.line.wait_arrived(500)
        world.story.faults["lie"] += 1
        return figure(world.end())


def liar(port: int) -> Proxy:
    """Drops 1 publish in 20."""
    return Liar(port, 20)
