"""Backlog rules (`harken.live.backlog`) for clients that take turns."""

from collections.abc import Sequence

from harken.decide.listener import Judgement
from harken.decide.rule import OperatingPoint, decision_of
from harken.stream import Profile


def never(profile: Profile, judged: Sequence[Judgement], point: OperatingPoint) -> list[str]:
    """Hear everything and reply to nothing; our own voice can still be stopped."""
    decisions: list[str] = []
    for judgement in judged:
        decision = decision_of(profile, judgement, point)
        decisions.append("silent" if decision == "respond" else decision)
        if decisions[-1] != "silent":
            break
    return decisions


def at_last(profile: Profile, judged: Sequence[Judgement], point: OperatingPoint) -> list[str]:
    """Reply after the last chunk, whatever the judgement: a response was asked for."""
    del profile, point
    return [*["silent"] * (len(judged) - 1), "respond"]
