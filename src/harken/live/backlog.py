"""What to make of several chunks that were judged in one pass."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from harken.decide.listener import Judgement
from harken.decide.rule import OperatingPoint, decision_of
from harken.errors import HarkenError
from harken.stream import Profile

BacklogRule: TypeAlias = Callable[[Profile, Sequence[Judgement], OperatingPoint], list[str]]
"""Decisions on the first n chunks of a pass; the chunks after those are heard again."""


def per_chunk(profile: Profile, judged: Sequence[Judgement], point: OperatingPoint) -> list[str]:
    """A decision at every chunk, up to the first that is not silent.

    The pass assumed silence, so what comes after that one was judged in a world that is not;
    live decisions equal those of hearing chunk by chunk, whatever the backlog.
    """
    decisions: list[str] = []
    for judgement in judged:
        decisions.append(decision_of(profile, judgement, point))
        if decisions[-1] != "silent":
            break
    return decisions


def drain(profile: Profile, judged: Sequence[Judgement], point: OperatingPoint) -> list[str]:
    """One decision for the whole backlog, read at its last chunk, as the published system does.

    For comparison: what called for a reply inside the backlog may be missed.
    """
    return [*["silent"] * (len(judged) - 1), decision_of(profile, judged[-1], point)]


_RULES: dict[str, BacklogRule] = {"per-chunk": per_chunk, "drain": drain}


def backlog_rule(name: str) -> BacklogRule:
    """The rule of that name, "per-chunk" or "drain"; another name is a HarkenError."""
    if name not in _RULES:
        raise HarkenError(f"no backlog rule {name!r}; choose one of {', '.join(_RULES)}")
    return _RULES[name]
