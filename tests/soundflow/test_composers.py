"""Every composer over the fetched corpora: what is due fits what was placed."""

from collections.abc import Iterator

import numpy as np
import pytest
from tests.soundflow.needs import needs_corpora

from harken.soundflow.composing import AGREED
from harken.soundflow.events import EVENTS, kind_counted
from harken.soundflow.phrases import counting_order, ends_order
from harken.soundflow.scene import Variant
from harken.soundflow.sound_tasks import _WHEN, COUNTS, count
from harken.soundflow.spoken import lines
from harken.soundflow.spoken_tasks import ENDS_CAPTIONS, ENDS_NARRATION
from harken.soundflow.studio import Spoken, Studio
from harken.soundflow.tasks import COMPOSERS
from harken.stream import SAMPLE_RATE

DRAWS = 12


pytestmark = needs_corpora


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio("train")


def composed(studio: Studio, task: str) -> Iterator[tuple[np.ndarray, list[Variant]]]:
    composer, _ = COMPOSERS[task]
    for seed in range(DRAWS):
        scene, variants = composer(studio, np.random.default_rng([seed, 5]))
        yield scene.mix(), variants


@pytest.mark.parametrize("task", COMPOSERS)
def test_a_scene_is_sound_and_what_is_due_lies_in_it(studio: Studio, task: str) -> None:
    if task == "follow_up" and not studio.has(task, "en"):
        pytest.skip("the follow-ups are not synthesised: `harken data speak`")
    for audio, variants in composed(studio, task):
        assert 8 * SAMPLE_RATE < len(audio) < 80 * SAMPLE_RATE
        assert np.isfinite(audio).all() and 0 < np.abs(audio).max() <= 1
        assert variants
        for variant in variants:
            ends = [due.end for due in variant.due]
            assert all(0 <= due.start < due.end <= len(audio) for due in variant.due)
            assert ends == sorted(ends), variant.task
            assert all(due.text for due in variant.due)


def test_numbers_follow_each_other_and_count_what_was_ordered(studio: Studio) -> None:
    for task in ("count", "events"):
        for _, variants in composed(studio, task):
            for variant in (v for v in variants if v.task == "count"):
                counted = [due for due in variant.due if due.text != AGREED]
                assert [d.text for d in counted] == [f"{n}." for n in COUNTS[: len(counted)]]
                if variant.prefix.instruction:
                    meant = kind_counted(variant.prefix.instruction)
                    assert {d.cause for d in counted} <= set(meant)


def test_talk_and_background_call_for_nothing(studio: Studio) -> None:
    for task in ("others_talking", "background"):
        for _, variants in composed(studio, task):
            assert not any(variant.due for variant in variants)


def test_care_speaks_of_what_care_is_for_and_narration_of_all(studio: Studio) -> None:
    for _, variants in composed(studio, "events"):
        by_task = {variant.task: variant for variant in variants}
        cared = {(d.start, d.cause) for d in by_task["care"].due}
        assert all(EVENTS[cause].care for _, cause in cared)
        if "narrate" in by_task:
            assert cared <= {(d.start, d.cause) for d in by_task["narrate"].due}


def test_every_spoken_order_to_wait_is_about_one_kind_of_sound() -> None:
    for line in lines():
        if (line.kind, line.language) == ("order_when", "en"):
            found = [key for key in _WHEN if key in f" {line.text.lower()} "]
            assert len(found) == 1, line.text


def test_no_count_lets_a_danger_pass_without_a_word(studio: Studio) -> None:
    for seed in range(DRAWS):
        scene, variants = count(studio, np.random.default_rng([seed, 5]))
        counted = {due.cause for due in variants[0].due}
        assert not [n for *_, n in scene.sounds if EVENTS[n].quiet and n not in counted]


def test_what_ends_an_order_speaks_of_no_other(studio: Studio) -> None:
    ends = {"narrate_order": ENDS_NARRATION, "transcribe": ENDS_CAPTIONS}
    said: list[str] = []

    class Listening(Studio):
        def voice(self, spoken: Spoken) -> np.ndarray:
            if spoken.kind == "stop":
                said.append(spoken.text)
            return super().voice(spoken)

    listening = Listening("train")
    for task, words in ends.items():
        said.clear()
        for seed in range(4 * DRAWS):
            COMPOSERS[task][0](listening, np.random.default_rng([seed, 5]))
        assert said and all(ends_order(text, words) for text in said)


def test_the_words_of_a_count_are_in_the_plural() -> None:
    random = np.random.default_rng(0)
    orders = {counting_order(label, random) for label in ("splash", "owl") for _ in range(200)}
    assert "Count the splashes." in orders and "Count the hoots." in orders
    assert not [text for text in orders if "splashs" in text]
