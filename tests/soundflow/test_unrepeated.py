"""Composition asks for what the guard of a session lets be said, and for all of that."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harken.live.say_once import SayOnce
from harken.live.trace import CHUNK_S
from harken.perceive.percept import HeardWord, Percept
from harken.soundflow.build import place
from harken.soundflow.scene import Due
from harken.soundflow.unrepeated import COOL_DOWN_CHUNKS, unrepeated
from harken.stream import CHUNK_SAMPLES

CHUNKS = 90
KNOCK, DOG = "Someone is knocking at the door.", "I hear a dog barking."


def percepts(words: set[int]) -> list[Percept]:
    none = np.zeros(0, np.float16)
    said = (HeardWord(" so", 0, "en"),)
    return [Percept(c, none, none, said if c in words else (), 0.0, 0.0) for c in range(CHUNKS)]


def due(chunk: int, text: str) -> Due:
    end = (chunk + 1) * CHUNK_SAMPLES
    return Due(end - 9_000 if chunk else 0, end, "sound", text, "normal", "a sound")


def chunks_due(found: dict[int, str], words: set[int]) -> list[int]:
    heard = percepts(words)
    kept = unrepeated([due(chunk, text) for chunk, text in found.items()], heard)
    return [chunk for chunk, *_ in place(kept, heard)]


def test_the_same_again_is_due_after_eight_seconds_after_words_and_after_something_else() -> None:
    assert SayOnce().within_s == COOL_DOWN_CHUNKS * CHUNK_S == 8.0
    assert chunks_due({3: KNOCK, 8: KNOCK, 23: KNOCK, 24: KNOCK}, set()) == [3, 24]
    assert chunks_due({3: KNOCK, 8: KNOCK}, {8}) == [3, 8]
    assert chunks_due({3: KNOCK, 8: KNOCK}, {3, 9}) == [3]
    assert chunks_due({3: KNOCK, 5: DOG, 8: KNOCK}, set()) == [3, 5, 8]


@given(
    st.dictionaries(st.integers(0, CHUNKS - 1), st.sampled_from([KNOCK, DOG]), min_size=1),
    st.sets(st.integers(0, CHUNKS - 1), max_size=9),
)
def test_it_agrees_with_the_guard_in_every_session(found: dict[int, str], words: set[int]) -> None:
    guard, said = SayOnce(), []
    for chunk in range(CHUNKS):
        if chunk in words:
            guard = guard.after_words()
        if chunk in found and not guard.is_repeat(found[chunk], chunk):
            said.append(chunk)
            guard = guard.after(found[chunk], chunk)
    assert chunks_due(found, words) == said
