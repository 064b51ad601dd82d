"""What is not due because a session would not say it: the same words again within seconds.

`harken.live.say_once` withholds them, so a stream that asked for them could not be followed.
"""

from collections.abc import Sequence

from harken.perceive.percept import Percept
from harken.soundflow.scene import Due
from harken.stream import chunk_of_end

COOL_DOWN_CHUNKS = 20
"""So long, 8 s, the guard withholds what was said last."""


def unrepeated(due: Sequence[Due], percepts: Sequence[Percept]) -> tuple[Due, ...]:
    """All in order of their ends, but for responses to a sound that only repeat the one before
    within `COOL_DOWN_CHUNKS`, with no word heard in between."""
    with_words = [p.chunk for p in percepts if p.text]
    kept: list[Due] = []
    for this in sorted(due, key=lambda each: each.end):
        if this.waits_for == "sound" and kept and kept[-1].text == this.text:
            last, now = chunk_of_end(kept[-1].end), chunk_of_end(this.end)
            is_soon = now - last <= COOL_DOWN_CHUNKS
            if is_soon and not any(last < chunk <= now for chunk in with_words):
                continue
        kept.append(this)
    return tuple(kept)
