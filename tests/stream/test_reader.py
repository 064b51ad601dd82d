"""Reading is the inverse of writing, and refuses what no writer wrote."""

import doctest
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from harken.errors import HarkenError
from harken.stream import (
    CHUNK_SAMPLES,
    POLICIES,
    Heard,
    Prefix,
    Profile,
    Said,
    Stream,
    Timeline,
    Vocabulary,
    profile_named,
    write,
)
from harken.stream.profile import EMOTIONS
from harken.stream.reader import read

NAMES = ("mini", "released-3b", "tiny")
TEXT = st.text(max_size=12) | st.sampled_from(
    ("<|im_end|>", "<|im_start|>system\n", "<|endoftext|>", "system\n", "\u310d\u3257", "END", " ")
)


@st.composite
def timelines(draw: st.DrawFn, profile: Profile, rare: tuple[str, ...] = ()) -> Timeline:
    """Any session that the profile can hold."""
    text = TEXT | st.sampled_from(rare) if rare else TEXT
    n_chunks = draw(st.integers(0, 12))
    chunks = st.integers(0, max(0, n_chunks - 1))
    at = draw(st.lists(chunks, unique=True, max_size=4)) if n_chunks else []
    heard = []
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, 13 * CHUNK_SAMPLES))
        end = start + draw(st.integers(1, 2 * CHUNK_SAMPLES))
        heard.append(Heard(start, end, draw(st.sampled_from(("words", "sound"))), draw(text)))
    said = tuple(Said(c, draw(text), draw(st.sampled_from(EMOTIONS)), "why") for c in at)
    playing = draw(st.lists(chunks, max_size=4)) if n_chunks else []
    stops = draw(st.lists(chunks, max_size=3)) if n_chunks and profile.hears_itself else []
    prefix = Prefix(draw(st.sampled_from(sorted(POLICIES))), draw(text))
    free = tuple(c for c in stops if c not in at)
    return Timeline(prefix, n_chunks, tuple(heard), said, tuple(playing), free)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_what_was_written_is_read_back(
    vocabularies: dict[str, Vocabulary],
    qwen_tokenizer: Tokenizer,
    name: str,
    data: st.DataObject,
) -> None:
    vocabulary = vocabularies[name]
    # Ids of the release that are ordinary text in the tokenizer.
    rare = tuple(qwen_tokenizer.decode([i]) for i in range(151_601, 151_620))
    timeline = data.draw(timelines(vocabulary.profile, rare))
    again = read(write(timeline, vocabulary), vocabulary)
    assert again == timeline.canonical(vocabulary.profile)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=50)
def test_a_read_session_is_written_again_to_the_same_ids(
    vocabularies: dict[str, Vocabulary], name: str, data: st.DataObject
) -> None:
    vocabulary = vocabularies[name]
    stream = write(data.draw(timelines(vocabulary.profile)), vocabulary)
    again = write(read(stream, vocabulary), vocabulary)
    np.testing.assert_array_equal(again.ids, stream.ids)
    np.testing.assert_array_equal(again.owners, stream.owners)


SESSION = Timeline(
    Prefix("care", "Be brief."),
    3,
    heard=(Heard(0, 6_400, "words", " hi"),),
    said=(Said(1, "Hello.", "happy"),),
    playing=(2,),
)


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_cut_inside_a_chunk_is_refused(
    vocabularies: dict[str, Vocabulary], name: str
) -> None:
    vocabulary = vocabularies[name]
    whole = write(SESSION, vocabulary)
    complete = {len(write(Timeline(SESSION.prefix, n), vocabulary)) for n in range(1)}
    complete |= {
        len(write(Timeline(SESSION.prefix, n, SESSION.heard, SESSION.said[: n - 1]), vocabulary))
        for n in (1, 2)
    }
    for length in range(len(whole)):
        cut = Stream(whole.profile, whole.ids[:length], whole.owners[:length])
        if length in complete:
            assert read(cut, vocabulary).n_chunks < SESSION.n_chunks
        else:
            with pytest.raises(HarkenError):
                read(cut, vocabulary)


def test_ids_of_another_profile_are_refused_with_the_position(
    vocabularies: dict[str, Vocabulary],
) -> None:
    stream = write(SESSION, vocabularies["mini"])
    with pytest.raises(HarkenError, match="position 0 holds 151644 where ONLINE"):
        read(stream, vocabularies["released-3b"])


@pytest.mark.parametrize("wrong", ["HEARD", "IM_END", "AUDIO", "HAPPY"])
def test_a_control_in_the_place_of_a_decision_is_refused(
    tiny_vocabulary: Vocabulary, wrong: str
) -> None:
    stream = write(Timeline(Prefix(), 1), tiny_vocabulary)
    ids = stream.ids.copy()
    ids[-1] = profile_named("tiny").control(wrong)
    with pytest.raises(HarkenError):
        read(Stream(stream.profile, ids, stream.owners), tiny_vocabulary)


def test_a_prefix_of_no_policy_is_refused(tiny_vocabulary: Vocabulary) -> None:
    stream = write(Timeline(Prefix(), 1), tiny_vocabulary)
    ids = stream.ids.copy()
    ids[1] = ord("X")
    with pytest.raises(HarkenError, match="unknown policy"):
        read(Stream(stream.profile, ids, stream.owners), tiny_vocabulary)


def test_instructions_of_many_lines_become_one(tiny_vocabulary: Vocabulary) -> None:
    prefix = Prefix("care", "Count the barks.\n  Then stop.\n")
    assert prefix.instruction == "Count the barks. Then stop."
    assert read(write(Timeline(prefix, 0), tiny_vocabulary), tiny_vocabulary).prefix == prefix


def test_an_unknown_policy_lists_the_known_ones() -> None:
    with pytest.raises(HarkenError, match="'loud'; choose one of quiet, care, narrate, bench"):
        Prefix("loud")


def test_the_documented_example_is_what_the_code_does() -> None:
    page = Path(__file__).parents[2] / "docs" / "stream-format.md"
    failed, attempted = doctest.testfile(str(page), module_relative=False)
    assert attempted > 10 and failed == 0
