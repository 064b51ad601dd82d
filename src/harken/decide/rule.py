"""From a judgement to a decision: the operating point of a session."""

from dataclasses import dataclass

from harken.decide.listener import Judgement
from harken.errors import HarkenError
from harken.stream import Profile

EXCHANGE_CHUNKS = 25
"""10 s: how long after a reply words need not be as clearly for us as out of nothing."""


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """How sure the listener must be: thresholds on calibrated probabilities, from 0 to 1.

    to_words: besides, for a reply in a chunk with overheard words. What is asked of us is clear,
    and talk that asks nothing is far commoner in life than in any data; 0: as everything else.
    replied_at: the chunk of our last reply. For `EXCHANGE_CHUNKS` after it `to_words` rests: what
    is said then most likely goes on with us.
    """

    respond: float = 0.5
    stop: float = 0.5
    to_words: float = 0.0
    replied_at: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("respond", self.respond), ("stop", self.stop)):
            if not 0 < value < 1:
                raise HarkenError(
                    f"the {name} threshold is {value:g}; choose a number between 0 and 1"
                )
        if not 0 <= self.to_words < 1:
            raise HarkenError(
                f"the threshold of replies to words is {self.to_words:g}; choose 0 to below 1"
            )

    def needed(self, judgement: Judgement) -> float:
        """What p(respond) of a chunk must reach."""
        at = self.replied_at
        in_exchange = at is not None and judgement.chunk - at <= EXCHANGE_CHUNKS
        if judgement.overheard and not in_exchange:
            return max(self.respond, self.to_words)
        return self.respond


def decision_of(profile: Profile, judgement: Judgement, point: OperatingPoint) -> str:
    """The decision, "silent", "respond" or "stop"; stop only while our own voice is playing.

    Told in plain words to stop it does, however unlikely the listener finds that, and it goes on
    while they only agree. Stop is learnt from few examples, so its threshold lies low, and over it
    comes before respond.
    """
    if judgement.playing and "stop" in profile.decisions:
        p_stop = float(judgement.probabilities[profile.decisions.index("stop")])
        if judgement.told_to_stop or (p_stop >= point.stop and not judgement.agrees):
            return "stop"
    return "respond" if judgement.p_respond >= point.needed(judgement) else "silent"
