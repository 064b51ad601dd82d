"""What of a reply was heard: its pieces on the player's clock.

The player tells how many milliseconds of the reply have sounded. Within a piece the text is taken
to pass evenly, and a word counts once all of it has passed: some words too few or too many in a
long piece, exact between pieces.
"""

import re
from dataclasses import dataclass, replace

from harken.respond.sentences import width

_WIDTH_PER_MS = 15 / 1000  # 15 English characters a second
_WORD = re.compile(
    "[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]\\W*|\\S+?(?=[\u3400-\u9fff]|\\s|$)"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of text and how long its sound is, as far as it was handed to the player."""

    text: str
    ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Playback:
    """One reply at the player. played_ms: how much of it has sounded. is_whole: no sound is to
    come any more."""

    pieces: tuple[Piece, ...] = ()
    played_ms: float = 0.0
    is_whole: bool = False

    def voiced(self, text: str, ms: float) -> "Playback":
        """Sound was handed over: of a new piece, or with an empty text more of the last one."""
        if text or not self.pieces:
            return replace(self, pieces=(*self.pieces, Piece(text, ms)))
        last = self.pieces[-1]
        return replace(self, pieces=(*self.pieces[:-1], replace(last, ms=last.ms + ms)))

    def played(self, ms: float) -> "Playback":
        """The player has come so far; it never goes back, nor beyond what it was given."""
        return replace(self, played_ms=min(max(self.played_ms, ms), self.voiced_ms))

    def ended(self) -> "Playback":
        """No more sound will come."""
        return replace(self, is_whole=True)

    @property
    def voiced_ms(self) -> float:
        """How much sound was handed over."""
        return sum(piece.ms for piece in self.pieces)

    @property
    def is_sounding(self) -> bool:
        """Whether the player has sound that was not heard yet."""
        return self.played_ms < self.voiced_ms

    @property
    def is_over(self) -> bool:
        """Whether all of it was heard."""
        return self.is_whole and not self.is_sounding

    @property
    def heard(self) -> str:
        """The text that was heard: whole pieces, then whole words of the one that was cut."""
        text, start_ms = "", 0.0
        for n, piece in enumerate(self.pieces):
            is_open = n == len(self.pieces) - 1 and not self.is_whole
            # More sound of the newest piece may come: it takes at least as long as its text does.
            ms = max(piece.ms, width(piece.text) / _WIDTH_PER_MS) if is_open else piece.ms
            if self.played_ms < start_ms + ms:
                return text + _begun(piece.text, (self.played_ms - start_ms) / ms)
            text, start_ms = text + piece.text, start_ms + ms
        return text


def _begun(text: str, share: float) -> str:
    """The words of a text that lie within a share of its width."""
    wanted, end = share * width(text), 0
    for word in _WORD.finditer(text):
        if width(text[: word.end()]) > wanted:
            break
        end = word.end()
    return text[:end]
