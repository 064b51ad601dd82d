"""Which reply answers which due one: none answers two, so each that was due needs its own."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from harken.evals.streams import Due, Outcome

LATE_CHUNKS = 4
"""A reply in this time after it was due counts as an answer (1.6 s)."""
WORDS_LATE_CHUNKS = 6
"""The same for what is composed of heard words: answers, translations, facts, orders (2.4 s)."""

Reply: TypeAlias = tuple[int, str, str]
"""Chunk, text, emotion."""


def own_replies(
    outcome: Outcome,
    due: Sequence[Due],
    late: int = LATE_CHUNKS,
    fits: Callable[[str, Due], bool] = lambda text, due: True,
) -> list[Reply | None]:
    """The reply of each of `due`: said from the beginning of its cause to `late` chunks after it
    was due, and fitting; None where there is none.

    A reply that several wait for goes to the one whose text it says, else to the first of `due`.
    """
    own: list[Reply | None] = [None] * len(due)
    for reply in outcome.said:
        chunk, text, _ = reply
        waiting = [
            n
            for n, d in enumerate(due)
            if own[n] is None and d.start <= chunk <= d.chunk + late and fits(text, d)
        ]
        if waiting:
            own[min(waiting, key=lambda n: due[n].text != text)] = reply
    return own


def says(text: str, due: Due) -> bool:
    """Whether a text is the due one."""
    return text == due.text
