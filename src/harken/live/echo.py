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
    heard = words_of("".join(word.text for word in words))
    if not heard or not aired:
        return tuple(words)
    matches = SequenceMatcher(None, heard, words_of(aired), autojunk=False).get_matching_blocks()
    is_ours = sum(match.size for match in matches) >= OURS * len(heard)
    return () if is_ours else tuple(words)
