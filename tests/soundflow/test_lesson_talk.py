"""Rehearsed talk: words where somebody is heard to speak, and what is due to them."""

from pathlib import Path

import numpy as np
import pytest

from harken.errors import HarkenError
from harken.soundflow.composing import AGREED
from harken.soundflow.lesson_talk import (
    TALKERS,
    TRANSLATION,
    Talk,
    compose_talk,
    speaking,
)
from harken.soundflow.rows import gather, rows, write_rows
from harken.soundflow.spoken import planned_takes
from harken.stream import CHUNK_SAMPLES

DRAWS = 40


def louder(sound: np.ndarray) -> np.ndarray:
    return sound + 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with one composed background for each split."""
    for kind in ("lines", "features"):
        (tmp_path / kind).mkdir()
    for split in ("train", "dev"):
        name = f"{split}-1-00000"
        np.savez(
            tmp_path / "features" / f"{name}.npz",
            sound=np.zeros((50, 1545), np.float16),
            acoustic=np.ones((50, 2560), np.float16),
        )
        row = {"id": name, "features": name, "task": "background", "split": split, "n_chunks": 50}
        write_rows(tmp_path, name, [row])
    gather(tmp_path)
    return tmp_path


@pytest.mark.parametrize("task", TALKERS)
def test_what_is_due_follows_the_words_it_is_due_to(task: str) -> None:
    for seed in range(DRAWS):
        talk, policy, instruction = TALKERS[task](np.random.default_rng(seed), 45)
        assert talk.words and all(0 <= c < 45 and text for c, text in talk.words.items())
        chunks = [c for c, *_ in talk.said]
        assert chunks == sorted(set(chunks))
        for chunk, text, _, cause in talk.said:
            assert chunk in talk.words, "the last word is recognised where the reply is due"
            assert text or cause == TRANSLATION
            spans = [(a, b) for a, b, _, what in talk.due if what == cause]
            assert any(a <= chunk * CHUNK_SAMPLES < b for a, b in spans)
        assert policy == "care" or (policy == "narrate" and not instruction)


def test_nothing_is_due_to_what_is_said_to_others() -> None:
    for seed in range(DRAWS):
        talk, *_ = TALKERS["others_talking"](np.random.default_rng(seed), 45)
        assert not talk.said and not talk.due


def test_captions_are_the_words_as_they_came() -> None:
    for seed in range(DRAWS):
        talk, _, instruction = TALKERS["transcribe"](np.random.default_rng(seed), 45)
        first = talk.said[0] if talk.said else None
        assert instruction or (first and first[1] == AGREED)
        for chunk, text, _, cause in talk.said:
            if cause == "transcript":
                assert text == talk.words[chunk].strip()


def test_no_line_of_a_dev_stream_is_rehearsed() -> None:
    dev = {take.line.text for take in planned_takes() if take.split == "dev"}
    for task in ("chat", "transcribe", "translate", "tell_when"):
        for seed in range(DRAWS):
            talk, _, instruction = TALKERS[task](np.random.default_rng(seed), 45)
            said = "".join(talk.words[c] for c in sorted(talk.words))
            assert instruction not in dev
            assert not [line for line in dev if len(line) > 12 and line in said]


def test_a_text_is_spread_over_the_time_it_takes() -> None:
    talk = Talk(np.random.default_rng(0), 30)
    spoken = talk.say("Could you pass me the salt over there, please?")
    assert "".join(talk.words.values()) == " Could you pass me the salt over there, please?"
    assert 6 <= len(spoken) <= 9 and talk.at == spoken.stop
    assert not talk.fits("word " * 40)


def test_talk_lies_over_a_background_in_which_somebody_speaks(folder: Path) -> None:
    counts = {"chat": 3, "others_talking": 2}
    assert compose_talk(folder, "train", counts, louder) == 2 + 5
    assert compose_talk(folder, "train", counts, louder) == 2 + 5, "nothing is made twice"
    found = [r for r in rows(folder) if r["task"] in counts]
    assert len({r["features"] for r in found}) == 5
    for row in found:
        assert row["split"] == "train" and row["n_chunks"] == 50
        with np.load(folder / "features" / f"{row['features']}.npz") as stored:
            sound = stored["sound"]
            assert not stored["acoustic"].any() or stored["acoustic"].all()
        spoken = np.flatnonzero(sound.any(1)).tolist()
        assert spoken == [c for c, _ in row["words"]]


def test_what_cannot_be_said_is_told(folder: Path, tmp_path_factory) -> None:
    with pytest.raises(HarkenError, match="no talk 'gossip'; choose from"):
        compose_talk(folder, "train", {"gossip": 1}, louder)
    (folder / "lines" / "train-1-00000.json").unlink()
    gather(folder)
    with pytest.raises(HarkenError, match="no background of train"):
        compose_talk(folder, "train", {"chat": 1}, louder)
    with pytest.raises(HarkenError, match="no composed streams"):
        speaking(tmp_path_factory.mktemp("empty"))


@pytest.mark.slow
def test_the_sound_ear_is_made_to_hear_speech(folder: Path) -> None:
    from harken.parts import ensure
    from harken.perceive.sound import class_names

    random = np.random.default_rng(0)
    heard = random.uniform(0, 0.2, (60, 1545)).astype(np.float16)
    np.savez(folder / "features" / "train-1-00001.npz", sound=heard, acoustic=heard)
    voice = speaking(folder)
    speech = class_names(ensure("yamnet")).index("Speech")
    spoken = voice(heard[:6].astype(np.float32))
    assert spoken.shape == (6, 1545) and np.isfinite(spoken).all()
    assert (spoken[:, speech] > 0.3).all()
