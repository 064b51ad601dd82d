"""What is accepted, cleaned once or rejected, and with which reason."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.perceive.sound import CLASSES, WINDOW_SAMPLES
from harken.soundflow.ground.lengths import length_fits
from harken.soundflow.ground.verify import (
    Decision,
    Judged,
    Reason,
    floor_below_peak_db,
    judged,
    longest_gap_s,
    verify,
)
from harken.soundflow.plan import PlannedEvent
from harken.stream import SAMPLE_RATE

F32 = np.ndarray

BARK = PlannedEvent(
    name="dog",
    label="dog_bark",
    role="fg",
    start_after=(0.0, 1.0),
    rough_duration_s=2.0,
    description="A dog barks in the yard.",
    query="dog barking in the yard",
    accept_tags=("Bark",),
)


class FakeEar:
    """Hears the named classes in every window that sounds."""

    def __init__(self, **scores: float) -> None:
        self.names = (*("Speech", "Bark", "Engine"), *(f"class {i}" for i in range(CLASSES - 3)))
        self._scores = scores
        self.windows = 0

    def hear(self, window: F32) -> F32:
        assert window.shape == (WINDOW_SAMPLES,) and np.abs(window).max() <= 0.5 + 1e-6
        self.windows += 1
        heard = np.zeros(1545, np.float32)
        for name, score in self._scores.items():
            heard[self.names.index(name)] = score
        return heard


def noise(seconds: float, level: float, seed: int = 0) -> F32:
    random = np.random.default_rng(seed)
    return (level * random.standard_normal(int(seconds * SAMPLE_RATE))).astype(np.float32)


def burst(seconds: float, level: float = 0.5) -> F32:
    t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (level * np.sin(2 * np.pi * 600 * t) * np.sin(np.pi * t / seconds)).astype(np.float32)


def silence(seconds: float) -> F32:
    return np.zeros(int(seconds * SAMPLE_RATE), np.float32)


def test_a_clean_sound_of_the_right_kind_and_length_is_accepted() -> None:
    verdict = verify(burst(2.0), BARK, "dog_bark", FakeEar(Bark=0.9))
    assert verdict.decision is Decision.ACCEPT
    assert verdict.reason is Reason.FITS and verdict.detail == "Bark 0.90"


@pytest.mark.parametrize(("score", "decision"), [(0.29, "reject"), (0.31, "accept")])
@pytest.mark.parametrize(("label", "made"), [("cat_meow", False), ("dog_bark", True)])
def test_the_class_of_the_label_must_be_heard_in_another_clip_and_in_a_made_sound(
    label: str, made: bool, score: float, decision: str
) -> None:
    ear = FakeEar(Bark=score, Engine=0.99)
    verdict = verify(burst(2.0), BARK, label, ear, made=made)
    assert verdict.decision == decision
    if decision == "reject":
        assert verdict.reason is Reason.IDENTITY


@pytest.mark.parametrize(
    ("score", "louder", "decision"),
    [(0.03, 9, "accept"), (0.03, 10, "reject"), (0.01, 0, "reject"), (0.31, 12, "accept")],
)
def test_a_clip_of_the_label_is_taken_if_one_of_its_first_classes_is_the_label_s(
    score: float, louder: int, decision: str
) -> None:
    ear = FakeEar(Bark=score, **{f"class {i}": 0.6 for i in range(louder)})
    verdict = verify(burst(2.0), BARK, "dog_bark", ear)
    assert verdict.decision == decision
    if decision == "reject":
        assert verdict.reason is Reason.IDENTITY and f"place {louder + 1}" in verdict.detail


def test_what_is_too_long_to_be_one_event_is_not_cleaned() -> None:
    x = np.tile(burst(1.0), 31)
    result = judged(x, BARK, "dog_bark", FakeEar(Bark=0.9))
    assert not result.accepted and result.samples is x and len(result.verdicts) == 1


def test_what_nothing_can_hear_is_taken_by_its_label_alone() -> None:
    machine = replace(BARK, label="ambience_machine", accept_tags=("no such class",))
    same = verify(burst(2.0), machine, "ambience_machine", FakeEar())
    other = verify(burst(2.0), machine, "dog_bark", FakeEar())
    assert same.decision is Decision.ACCEPT
    assert (other.decision, other.reason) == (Decision.REJECT, Reason.IDENTITY)


def test_tags_are_listened_for_where_the_label_has_no_class() -> None:
    machine = replace(BARK, label="ambience_machine", accept_tags=("Engine",))
    assert verify(burst(2.0), machine, "x", FakeEar(Engine=0.5)).decision is Decision.ACCEPT
    assert verify(burst(2.0), machine, "x", FakeEar(Bark=0.5)).reason is Reason.IDENTITY


def test_speech_beneath_a_sound_is_not_clean_unless_people_make_the_sound() -> None:
    ear = FakeEar(Bark=0.9, Speech=0.6)
    verdict = verify(burst(2.0), BARK, "dog_bark", ear)
    assert (verdict.decision, verdict.reason) == (Decision.REJECT, Reason.CLEANLINESS)
    crowd = replace(BARK, label="ambience_town", accept_tags=("Bark",))
    assert verify(burst(2.0), crowd, "ambience_town", ear).decision is Decision.ACCEPT


@pytest.mark.parametrize("x", [silence(2.0), silence(0.0), burst(2.0, 1e-3)])
def test_silence_is_rejected_unheard(x: F32) -> None:
    ear = FakeEar(Bark=0.9)
    assert verify(x, BARK, "dog_bark", ear).detail.startswith("silent")
    assert ear.windows == 0


def test_samples_that_are_no_numbers_are_rejected() -> None:
    x = burst(2.0)
    x[5] = np.nan
    assert verify(x, BARK, "dog_bark", FakeEar(Bark=0.9)).decision is Decision.REJECT


@settings(max_examples=50)
@given(st.floats(0.1, 100), st.floats(0.0, 300))
def test_half_to_twice_the_planned_length_will_do(planned_s: float, seconds: float) -> None:
    told = length_fits(replace(BARK, rough_duration_s=planned_s), seconds)
    assert (told == "") == (0.5 * planned_s <= seconds <= 2 * planned_s)


def test_an_ambient_sound_needs_three_seconds_and_is_never_too_long() -> None:
    wind = replace(BARK, label="wind", role="ambient", rough_duration_s=60.0)
    assert length_fits(wind, 2.9) == "too short"
    assert length_fits(wind, 3.0) == length_fits(wind, 500.0) == ""


def test_a_short_sound_is_rejected_and_a_long_one_cleaned_first() -> None:
    ear = FakeEar(Bark=0.9)
    short = verify(burst(0.9), BARK, "dog_bark", ear)
    assert (short.decision, short.reason) == (Decision.REJECT, Reason.DURATION)
    # Two seconds of sound in seven of silence.
    x = np.concatenate([silence(2.0), burst(2.0), silence(3.0)])
    result = judged(x, BARK, "dog_bark", ear)
    assert [v.decision for v in result.verdicts] == [Decision.REPROCESS, Decision.ACCEPT]
    assert result.verdicts[0].reason is Reason.DURATION
    assert result.accepted and 1.0 <= len(result.samples) / SAMPLE_RATE <= 4.0


def test_what_is_still_too_long_after_cleaning_is_rejected_and_not_cleaned_again() -> None:
    result = judged(burst(9.0), BARK, "dog_bark", FakeEar(Bark=0.9))
    assert [v.decision for v in result.verdicts] == [Decision.REPROCESS, Decision.REJECT]
    assert result.verdicts[1].detail.endswith("after cleaning")
    assert not result.accepted


def test_a_gap_within_is_cut_but_not_where_pauses_belong_to_the_sound() -> None:
    x = np.concatenate([burst(0.8), silence(1.4), burst(0.8)])
    assert longest_gap_s(x) == pytest.approx(1.4, abs=0.1)
    result = judged(x, BARK, "dog_bark", FakeEar(Bark=0.9))
    assert result.verdicts[0].reason is Reason.CONTINUITY
    assert result.accepted and longest_gap_s(result.samples) < 0.5
    doorbell = replace(BARK, label="ambience_machine", accept_tags=("Bark",))
    assert verify(x, doorbell, "", FakeEar(Bark=0.9)).reason is Reason.CONTINUITY
    ring = replace(BARK, label="busy_tone", accept_tags=("Bark",))
    ear = FakeEar(Bark=0.9)
    ear.names = tuple(name.replace("Bark", "Busy signal") for name in ear.names)
    ear._scores = {"Busy signal": 0.9}
    assert verify(x, ring, "busy_tone", ear).decision is Decision.ACCEPT


def test_steady_noise_close_below_the_sound_is_found_and_cleaned() -> None:
    x = np.concatenate([silence(0.7), burst(0.8), silence(0.7)])
    noisy = x + noise(len(x) / SAMPLE_RATE, 0.06)
    assert floor_below_peak_db(x) is None
    below_db = floor_below_peak_db(noisy)
    assert below_db is not None and 8 < below_db < 20
    verdict = verify(noisy, BARK, "dog_bark", FakeEar(Bark=0.9))
    assert (verdict.decision, verdict.reason) == (Decision.REPROCESS, Reason.CLEANLINESS)


def test_noise_that_is_the_sound_itself_and_tones_are_no_noise() -> None:
    t = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    tremolo = (np.sin(2 * np.pi * 900 * t) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * t))).astype("f4")
    assert floor_below_peak_db(noise(2.0, 0.2)) is None, "steady noise lies near its own peak"
    assert floor_below_peak_db(tremolo) is None


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 4.0), st.floats(1e-4, 0.5))
def test_any_sound_is_judged_and_cleaned_at_most_once(
    seed: int, seconds: float, level: float
) -> None:
    x = np.concatenate([noise(seconds, level, seed), silence(seconds / 2), burst(seconds, 0.3)])
    result = judged(x, BARK, "dog_bark", FakeEar(Bark=0.9))
    decisions = [v.decision for v in result.verdicts]
    assert decisions[-1] is not Decision.REPROCESS
    assert decisions[:-1] in ([], [Decision.REPROCESS])
    if not isinstance(result, Judged) or len(decisions) == 1:
        assert result.samples is x, "what was not cleaned comes back untouched"
