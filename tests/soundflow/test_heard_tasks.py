"""Questions about sounds, right by construction; what is told of music is known of it."""

import json

import numpy as np
import pytest
from tests.soundflow.needs import needs_corpora

from harken.soundflow.corpora import data_text
from harken.soundflow.events import EVENTS
from harken.soundflow.heard_tasks import (
    Music,
    _recordings,
    answer_heard,
    describe_music,
    use_what_was_heard,
)
from harken.soundflow.scene import Sound
from harken.soundflow.spoken import lines
from harken.soundflow.studio import Studio

QUESTIONS = json.loads(data_text("heard_questions.json"))


def heard(*labels: str) -> list[Sound]:
    return [(n * 16_000, n * 16_000 + 8_000, label) for n, label in enumerate(labels)]


@pytest.mark.parametrize(
    ("question", "sounds", "reply"),
    [
        ("How many times did the dog bark?", ["dog_bark", "door", "dog_bark"], "Twice."),
        ("How many times did the dog bark?", ["dog_bark"] * 5, "Five times."),
        ("How many times did the dog bark?", ["door"], "Not once."),
        ("Did someone knock?", ["owl", "knock"], "Yes, I heard knocking."),
        ("Did someone knock?", ["owl"], "No, I did not hear knocking."),
        ("Is somebody at the door?", ["owl", "doorbell"], "Yes, I heard a doorbell."),
        ("Is somebody at the door?", [], "No, I did not hear anyone at the door."),
        ("Should I take an umbrella?", ["rain_storm"], "Yes, I hear rain."),
        ("Should I take an umbrella?", ["owl"], "I do not hear any rain."),
        ("What did you hear first?", ["owl", "frog"], "First I heard an owl."),
        ("What did you hear last?", ["owl", "frog"], "The last sound was a frog."),
        (
            "Which sound came before the bell?",
            ["owl", "frog", "bell_gong", "horse"],
            "Before that I heard a frog.",
        ),
        ("Was that a cat or a dog?", ["owl", "cat_meow"], "That was a cat meowing."),
    ],
)
def test_the_answer_follows_from_the_sounds(question: str, sounds: list[str], reply: str) -> None:
    assert answer_heard(QUESTIONS[question], heard(*sounds)) == reply


def test_every_question_can_be_spoken_and_asks_about_known_sounds() -> None:
    said = {line.text: line.kind for line in lines()}
    starter = {"How many times did it ring?", "Did someone knock?", "Which sound came first?"}
    for text, about in QUESTIONS.items():
        assert text in starter or said.get(text, "recall") in ("ask_heard", "recall")
        assert set(about["labels"]) <= EVENTS.keys()
    spoken = {text for text, kind in said.items() if kind == "ask_heard"}
    assert spoken <= QUESTIONS.keys()
    music = json.loads(data_text("music_questions.json"))
    assert {text for text, kind in said.items() if kind == "ask_music"} <= music.keys()


@needs_corpora
def test_a_question_comes_last_and_care_is_answered_as_well() -> None:
    studio, replies = Studio("train"), set()
    for seed in range(16):
        scene, variants = use_what_was_heard(studio, np.random.default_rng([seed, 1]))
        for variant in variants:
            *unasked, asked = variant.due
            assert asked.cause == "heard" and asked.start > scene.sounds[-1][1]
            policy = variant.prefix.policy
            cared = [start for start, _, n in scene.sounds if EVENTS[n].reply(policy)]
            assert [due.start for due in unasked] == cared
            replies.add(asked.text.split()[0].strip(",."))
    assert len(replies) >= 4 and {"Yes", "No"} & replies


def test_what_is_known_of_music_is_told() -> None:
    none = np.zeros(1, np.float32)
    assert Music(none, "", "a piano", "slow").known("all") == "A piano, slow."
    assert Music(none, "", "a piano", "slow").known("pace") == "slow"
    assert Music(none, "", style="classical music").known("all") == "Classical music."


@needs_corpora
def test_every_named_recording_is_there() -> None:
    known = json.loads(data_text("music.json"))
    found = [one for split in ("train", "dev") for one in _recordings(split)]
    listed = sum(len(names) for what in known.values() for names in what.values())
    assert len(found) == listed
    assert all(bool(instrument) != bool(style) for _, instrument, style in found)


@needs_corpora
@pytest.mark.parametrize("split", ["train", "dev"])
def test_music_is_described_when_it_was_heard_and_never_unasked(split: str) -> None:
    studio = Studio(split)
    for seed in range(10):
        scene, variants = describe_music(studio, np.random.default_rng([seed, 6]))
        described, *others = variants
        assert described.due and {due.cause for due in described.due} == {"music"}
        starts = [start for start, _, label in scene.sounds if label == "instrument_music"]
        if described.prefix.instruction:
            assert [due.start for due in described.due] == starts
        else:
            assert described.due[0].start > starts[0]
        assert not any(variant.due for variant in others)
