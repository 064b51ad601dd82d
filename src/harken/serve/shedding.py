"""What a server that falls behind leaves out, in which order, and when it stops doing so."""

from dataclasses import dataclass, replace

NAMES = ("none", "words-at-pauses", "no-acoustic")
"""words-at-pauses: words are recognised once somebody pauses instead of while they speak.
no-acoustic: besides, the acoustic ear rests and delivers zeros."""


@dataclass(frozen=True, slots=True)
class Shedding:
    """How much is shed now. Lags in seconds: shedding grows beyond `begin_s` and again beyond
    `more_s`, and shrinks by one below `recovered_s`."""

    level: int = 0
    begin_s: float = 1.2
    more_s: float = 2.4
    recovered_s: float = 0.4

    def after(self, lag_s: float) -> "Shedding":
        """What to shed at this lag."""
        if lag_s > self.more_s:
            return replace(self, level=2)
        if lag_s > self.begin_s:
            return replace(self, level=max(1, self.level))
        if lag_s < self.recovered_s and self.level:
            return replace(self, level=self.level - 1)
        return self

    @property
    def name(self) -> str:
        return NAMES[self.level]

    @property
    def spares_words(self) -> bool:
        return self.level >= 1

    @property
    def spares_acoustic(self) -> bool:
        return self.level >= 2
