"""Whisper's tokens grouped into words: at spaces, or where a language has none, at characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from opencc import OpenCC
from tokenizers import Tokenizer

# The languages for which openai/whisper's tokenizer splits on characters, not on spaces.
_WITHOUT_SPACES = frozenset({"zh", "ja", "th", "lo", "my", "yue"})
_BROKEN = "\ufffd"  # what a decoder writes for a token that ends inside a character


@dataclass(frozen=True, slots=True)
class WordPiece:
    """A word as written, with its leading space if it has one, and the tokens that spell it.

    spoken: how many of the tokens come before its closing punctuation, which takes no time.
    """

    text: str
    ids: tuple[int, ...]
    spoken: int

    @property
    def key(self) -> str:
        """The word for comparison: letters and digits only, case folded; empty if it has none."""
        return "".join(c for c in self.text.casefold() if c.isalnum())


def split(tokenizer: Tokenizer, ids: Sequence[int], language: str) -> tuple[WordPiece, ...]:
    """Group `ids` into words, punctuation staying with the word before it.

    Chinese comes in simplified characters: Whisper mixes both scripts, within one sentence and from
    one hypothesis to the next, which then never agree.
    """
    words: list[WordPiece] = []
    for piece in _characters(tokenizer, ids):
        if language == "zh":
            piece = replace(piece, text=_simplifier().convert(piece.text))
        joins = words and not (
            piece.key if language in _WITHOUT_SPACES else piece.text.startswith(" ")
        )
        # A lone quote or dash between spaces (" -") belongs to what stands before it.
        if joins or (words and not piece.key):
            last = words.pop()
            spoken = len(last.ids) + piece.spoken if piece.key else last.spoken
            piece = WordPiece(last.text + piece.text, last.ids + piece.ids, spoken)
        words.append(piece)
    return tuple(words)


def _characters(tokenizer: Tokenizer, ids: Sequence[int]) -> list[WordPiece]:
    """The shortest runs of tokens that decode to whole characters."""
    pieces: list[WordPiece] = []
    run: list[int] = []
    for token in ids:
        run.append(token)
        text = tokenizer.decode(run)
        if _BROKEN not in text:
            pieces.append(WordPiece(text, tuple(run), len(run)))
            run = []
    return pieces


@cache
def _simplifier() -> OpenCC:
    return OpenCC("t2s")
