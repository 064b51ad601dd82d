"""Which words of a changing hypothesis are safe: agreement, and the cut of a stuck decoder."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harken.perceive.word_pieces import WordPiece

# Faster than anybody speaks, slower than a decoder that says everything twice (dev clips: speech
# stays under 17 letters a second, a single needless repetition is above 19).
_MAX_LETTERS_PER_S = 18.0
_SPARE_LETTERS = 4
_LETTERS_PER_IDEOGRAPH = 3
_FIRST_IDEOGRAPH = "\u2e80"
_STUTTER = re.compile(r"(.{2,3})\1{4}|(.)\2{5}")
"""A syllable five times or a letter six times: "hahaha" and "oooh" are words."""


def agreed(previous: Sequence[WordPiece], current: Sequence[WordPiece]) -> int:
    """How many leading words two successive hypotheses share (LocalAgreement-2).

    The comparison ignores case and punctuation. Macháček et al. 2023, "Turning Whisper into
    Real-Time Transcription System".
    """
    count = 0
    for before, now in zip(previous, current, strict=False):
        if before.key != now.key:
            break
        count += 1
    return count


def without_loop(
    committed: Sequence[WordPiece], words: Sequence[WordPiece], speech_s: float
) -> tuple[WordPiece, ...]:
    """Drop from the end of `words` a phrase that the decoder only repeats.

    A phrase counts as a loop when it runs to the end of the text (`committed`, then `words`) and
    `speech_s` seconds of speech cannot hold that much text: people who say "no no no" take their
    time for it, a stuck decoder does not. One word can be a loop as well ("na-a-a-a-a-a").
    """
    keys = [word.key for word in (*committed, *words)]
    if sum(map(_letters, keys)) <= _MAX_LETTERS_PER_S * speech_s + _SPARE_LETTERS:
        return tuple(words)
    for n, word in enumerate(words):
        if _STUTTER.search(word.key):
            return tuple(words[:n])
    count = len(keys)
    for start in range(count - 1):
        for period in range(1, count - start):
            tail = keys[start + period :]
            if all(key == keys[start + i] for i, key in enumerate(tail)):
                if len(tail) < 2 and period > 1:
                    continue  # one word that was said before proves nothing
                return tuple(words[: max(0, start + period - len(committed))])
    return tuple(words)


def without_echo(words: Sequence[WordPiece], ends: Sequence[int]) -> tuple[WordPiece, ...]:
    """Drop a last word that only echoes the one before it, in less than half its time.

    Whisper counts one too many when a word is said several times. `ends`: samples, where each
    word ends; a real repetition takes about as long as the word before it took.
    """
    if len(words) < 3 or words[-1].key != words[-2].key:
        return tuple(words)
    before, last = ends[-2] - ends[-3], ends[-1] - ends[-2]
    return tuple(words[:-1] if 2 * last < before else words)


def _letters(key: str) -> int:
    return sum(_LETTERS_PER_IDEOGRAPH if c >= _FIRST_IDEOGRAPH else 1 for c in key)
