"""A session written as a whole equals the pieces that a live session writes one by one."""

from dataclasses import replace

import numpy as np
import pytest

from harken.errors import HarkenError
from harken.stream import Heard, Owner, Prefix, Said, Stream, Timeline, Vocabulary, write
from harken.stream.writer import (
    Piece,
    chunk_piece,
    decision_piece,
    offline_ids,
    prefix_piece,
    response_piece,
    stream_of,
)

NAMES = ("mini", "released-3b", "tiny")

SESSION = Timeline(
    Prefix("narrate", "Count the barks."),
    6,
    heard=(Heard(0, 6_400, "words", " Is it"), Heard(8_000, 19_200, "words", " raining?")),
    said=(Said(2, "Yes.", "sad"), Said(5, "Two <|im_end|>", "surprise")),
    playing=(3, 4),
    stops=(4,),
)


def session_for(vocabulary: Vocabulary) -> Timeline:
    """The session, without stops where the profile has none."""
    return SESSION if vocabulary.profile.hears_itself else replace(SESSION, stops=())


def written_live(timeline: Timeline, vocabulary: Vocabulary) -> list[Piece]:
    """The pieces in the order in which a session hears, decides and speaks."""
    profile = vocabulary.profile
    words = {2: " raining?", 0: " Is it"}
    log = [prefix_piece(vocabulary, timeline.prefix)]
    answers = {s.chunk: s for s in timeline.said}
    for chunk in range(timeline.n_chunks):
        log.append(chunk_piece(vocabulary, words.get(chunk, ""), chunk in timeline.playing))
        if chunk in answers:
            log.append(decision_piece(profile, "respond"))
            log.append(response_piece(vocabulary, answers[chunk].text, answers[chunk].emotion))
        elif chunk in timeline.stops:
            log.append(decision_piece(profile, "stop"))
        else:
            log.append(decision_piece(profile, "silent"))
    return log


@pytest.mark.parametrize("name", NAMES)
def test_training_ids_equal_the_live_log(vocabularies: dict[str, Vocabulary], name: str) -> None:
    vocabulary = vocabularies[name]
    session = session_for(vocabulary)
    trained = write(session, vocabulary)
    live = stream_of(vocabulary.profile, written_live(session, vocabulary))
    np.testing.assert_array_equal(trained.ids, live.ids)
    np.testing.assert_array_equal(trained.owners, live.owners)


def test_a_tiny_stream_is_what_the_contract_says(tiny_vocabulary: Vocabulary) -> None:
    c = tiny_vocabulary.profile.control
    session = Timeline(
        Prefix("quiet"),
        3,
        heard=(Heard(0, 6_400, "words", "hi"),),
        said=(Said(0, "yo", "happy"),),
        playing=(1,),
        stops=(1,),
    )
    stream = write(session, tiny_vocabulary)
    forced, heard, said = Owner.FORCED, Owner.HEARD, Owner.SAID
    text = b"Speak up only when life or property is in danger."
    expected = [
        (c("IM_START"), forced),
        *((b, forced) for b in text),
        (c("IM_END"), forced),
        *[(c("AUDIO"), heard)] * 2,
        (c("HEARD"), forced),
        *((b, heard) for b in b"hi"),
        (c("RESPOND"), said),
        (c("HAPPY"), said),
        *((b, said) for b in b"yo"),
        (c("END"), said),
        *[(c("AUDIO"), heard)] * 2,
        (c("PLAYING"), forced),
        (c("STOP"), said),
        *[(c("AUDIO"), heard)] * 2,
        (c("SILENT"), said),
    ]
    assert list(zip(stream.ids.tolist(), stream.owners.tolist(), strict=True)) == expected


def test_a_released_chunk_opens_and_closes_as_published(
    vocabularies: dict[str, Vocabulary],
) -> None:
    vocabulary = vocabularies["released-3b"]
    ids, _ = chunk_piece(vocabulary, words=" ignored", playing=True)
    assert ids == [151_647, *[151_608] * 10, 151_602]
    ids, _ = prefix_piece(vocabulary, Prefix("quiet"))
    assert ids[:4] == [151_609, 151_611, 151_644, 151_644] and ids[-1] == 151_643


def test_the_released_offline_prompt(vocabularies: dict[str, Vocabulary]) -> None:
    vocabulary = vocabularies["released-3b"]
    system, user = vocabulary.encode("Help."), vocabulary.encode("What is it?")
    assert offline_ids(vocabulary, "Help.", 3, "What is it?") == [
        *(151_610, 151_611, 151_644, 151_644),
        *system,
        *(151_643, 151_647, 151_646, 151_646, 151_646, 151_648, 151_601, 151_644),
        *user,
        *(151_643, 151_602, 151_644),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_loss_falls_on_said_positions_and_nowhere_else(
    vocabularies: dict[str, Vocabulary], name: str
) -> None:
    vocabulary = vocabularies[name]
    session = session_for(vocabulary)
    stream = write(session, vocabulary)
    np.testing.assert_array_equal(stream.loss_mask, stream.owners == Owner.SAID)
    emotion, end = 1, 1
    said = sum(emotion + len(vocabulary.encode(s.text)) + end for s in session.said)
    assert stream.loss_mask.sum() == session.n_chunks + said
    assert not (stream.loss_mask & stream.audio_mask).any()


@pytest.mark.parametrize("name", NAMES)
def test_every_chunk_has_its_audio_positions(
    vocabularies: dict[str, Vocabulary], name: str
) -> None:
    vocabulary = vocabularies[name]
    stream = write(session_for(vocabulary), vocabulary)
    assert stream.audio_mask.sum() == SESSION.n_chunks * vocabulary.profile.audio_positions
    assert (stream.owners[stream.audio_mask] == Owner.HEARD).all()


def test_types_of_a_stream(tiny_vocabulary: Vocabulary) -> None:
    stream = write(SESSION, tiny_vocabulary)
    assert stream.ids.dtype == np.int32 and stream.owners.dtype == np.uint8
    assert len(stream) == len(stream.ids) == len(stream.owners)
    assert len(stream_of(tiny_vocabulary.profile, [])) == 0


def test_nothing_said_changes_what_was_written_before(tiny_vocabulary: Vocabulary) -> None:
    # A decoder keeps its cache: a stream may grow at its end and nowhere else.
    def cut(n_chunks: int) -> Stream:
        kept = replace(
            SESSION,
            n_chunks=n_chunks,
            said=tuple(s for s in SESSION.said if s.chunk < n_chunks),
            playing=tuple(c for c in SESSION.playing if c < n_chunks),
            stops=tuple(c for c in SESSION.stops if c < n_chunks),
        )
        return write(kept, tiny_vocabulary)

    for n_chunks in range(SESSION.n_chunks):
        shorter, longer = cut(n_chunks), cut(n_chunks + 1)
        np.testing.assert_array_equal(longer.ids[: len(shorter)], shorter.ids)


def test_a_stop_needs_a_profile_that_can_stop(vocabularies: dict[str, Vocabulary]) -> None:
    with pytest.raises(HarkenError, match="released-3b has no control STOP"):
        write(SESSION, vocabularies["released-3b"])
