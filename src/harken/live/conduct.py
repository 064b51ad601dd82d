"""How a session behaves: a value, which may change while the session goes on."""

from dataclasses import dataclass, field

from harken.decide.listener import Listener
from harken.decide.rule import OperatingPoint
from harken.errors import HarkenError
from harken.live.backlog import BacklogRule, per_chunk
from harken.live.compaction import CompactionPlan
from harken.stream import Prefix
from harken.stream.writer import Piece, prefix_piece

_MOST_PREFIX_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Conduct:
    """How a session behaves.

    most_text_ids: after so many a response is ended. say_once_s: within which a repeated
    announcement is withheld; 0 never withholds.
    """

    prefix: Prefix = field(default_factory=Prefix)
    point: OperatingPoint = field(default_factory=OperatingPoint)
    rule: BacklogRule = per_chunk
    most_text_ids: int = 96
    say_once_s: float = 8.0
    compaction: CompactionPlan = field(default_factory=CompactionPlan)


def opening_of(listener: Listener, prefix: Prefix) -> Piece:
    """The prefix as it opens the context; one that leaves too little room is a HarkenError."""
    opening = prefix_piece(listener.vocabulary, prefix)
    room = int(listener.profile.context * _MOST_PREFIX_SHARE)
    if len(opening[0]) > room:
        raise HarkenError(
            f"the instruction and its policy take {len(opening[0])} of at most {room} "
            "positions; shorten --instruction"
        )
    return opening
