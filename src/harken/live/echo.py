"""Our own words, as our own microphone hears them, are nobody's words.

The ears recognise what the loudspeaker says like any other speech, up to some seconds late, and
"A smoke alarm is going off." asks for an answer whoever says it. The marks of chunks in which our
voice sounds teach the listener to leave it alone; this is the guard for what slips through, as
`say_once` is for repeats. Sounds, and words that are not ours, pass.
"""

from collections.abc import Sequence
from difflib import SequenceMatcher

from harken.perceive.percept import HeardWord
from harken.respond.sentences import words_of

OURS = 0.6
"""From this share on, words that also stand in what we said, in the same order, are ours."""


def without_ours(words: Sequence[HeardWord], aired: str) -> tuple[HeardWord, ...]:
    """The words committed in a chunk, or none if they are an echo of `aired`.

    aired: what our voice said within the last seconds. Recognition through a room errs, so some of
    the words may differ; one word alone, or two, must be the same.
    """
    owners, ours = _ours(words, aired)
    return () if owners and len(ours) >= OURS * len(owners) else tuple(words)


def theirs(words: Sequence[HeardWord], aired: str) -> tuple[HeardWord, ...]:
    """The words committed in a chunk that do not stand in `aired`: said by others, or an echo
    that was recognised wrongly."""
    owners, ours = _ours(words, aired)
    said = {owners[at] for at in ours}
    return tuple(word for n, word in enumerate(words) if n not in said)


def _ours(words: Sequence[HeardWord], aired: str) -> tuple[list[int], list[int]]:
    """Of every word in them (a Chinese character is one) which of `words` it belongs to, and at
    which places there are those that stand in `aired` in the same order."""
    spoken = [(word, n) for n, heard in enumerate(words) for word in words_of(heard.text)]
    matcher = SequenceMatcher(None, [word for word, _ in spoken], words_of(aired), autojunk=False)
    ours = [at for a, _, size in matcher.get_matching_blocks() for at in range(a, a + size)]
    return [n for _, n in spoken], ours
