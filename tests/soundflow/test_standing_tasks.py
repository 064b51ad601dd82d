"""A changed order rules what follows it."""

import numpy as np
import pytest
from tests.soundflow.needs import needs_corpora

from harken.soundflow.composing import AGREED, PLAIN
from harken.soundflow.events import EVENTS
from harken.soundflow.phrases import alike, awaited_instead, ends_order
from harken.soundflow.scene import Due, Scene, Variant
from harken.soundflow.sound_tasks import COUNTS
from harken.soundflow.standing_tasks import change_order
from harken.soundflow.studio import Studio

DRAWS = 24


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio("train")


@pytest.fixture(scope="module")
def changed(studio: Studio) -> list[tuple[Scene, Variant]]:
    made = (change_order(studio, np.random.default_rng([n, 3])) for n in range(DRAWS))
    return [(scene, variant) for scene, (variant,) in made]


def after_the_change(variant: Variant) -> tuple[list[Due], list[Due]]:
    """What is due before the order changes, and from then on; the first order is left out."""
    told = [n for n, d in enumerate(variant.due) if d.cause in ("order", "stop")]
    first = 0 if variant.prefix.instruction else 1
    return list(variant.due[first : told[first]]), list(variant.due[told[first] :])


@needs_corpora
def test_every_stream_changes_its_order_and_has_something_due_to_it(
    changed: list[tuple[Scene, Variant]],
) -> None:
    for _, variant in changed:
        told = [d for d in variant.due if d.cause in ("order", "stop")]
        assert all(d.text == AGREED for d in told)
        assert 1 <= len(told) - (not variant.prefix.instruction) <= 2
    assert sum(bool(after_the_change(v)[0]) for _, v in changed) > 0.8 * DRAWS


@needs_corpora
def test_after_an_order_is_called_off_nothing_is_due(
    changed: list[tuple[Scene, Variant]],
) -> None:
    called_off = [(s, v) for s, v in changed if any(d.cause == "stop" for d in v.due)]
    assert len(called_off) >= 4
    for scene, variant in called_off:
        assert variant.due[-1].cause == "stop"
        later = [label for start, _, label in scene.sounds if start > variant.due[-1].end]
        assert set(later) <= set(PLAIN), "care has nothing to say either"


@needs_corpora
def test_a_new_order_begins_anew_and_the_old_one_is_silent(
    changed: list[tuple[Scene, Variant]],
) -> None:
    recounted = 0
    for scene, variant in changed:
        before, (first, *later) = after_the_change(variant)
        numbers = [[d for d in part if d.text[:-1] in COUNTS] for part in (before, later)]
        for part in numbers:
            assert [d.text for d in part] == [f"{n}." for n in COUNTS[: len(part)]]
            called = [set(EVENTS[d.cause].nouns) for d in part]
            assert not called or set.intersection(*called), "sounds of one name"
        recounted += bool(numbers[0]) and bool(numbers[1])
        if first.cause == "order" and numbers[1]:
            label = numbers[1][0].cause
            heard = [s for s, _, this in scene.sounds if this == label and s > first.end]
            assert [d.start for d in numbers[1] if d.cause == label] == heard
    assert recounted


def test_a_stop_fits_the_order_that_it_ends() -> None:
    assert ends_order("Forget it.", ("count",))
    assert ends_order("No more counting, please.", ("count",))
    assert not ends_order("No more captions, please.", ("count",))
    assert not ends_order("Stop telling me what you hear.", ("count",))


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Tell me when you hear a cat instead.", "cat_meow"),
        ("No, listen for dogs instead.", "dog_bark"),
        ("No, count the bells instead.", ""),
    ],
)
def test_what_is_awaited_instead_can_be_read_from_the_order(text: str, label: str) -> None:
    assert awaited_instead(text) == label


def test_alike_is_mutual_and_holds_known_labels() -> None:
    for label in EVENTS:
        assert label in alike(label) <= EVENTS.keys()
        assert all(label in alike(other) for other in alike(label))
