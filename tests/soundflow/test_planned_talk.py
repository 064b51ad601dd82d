"""Who says what: voices of their own, no line twice, takes at hand or made and checked."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from harken.soundflow.plan import LISTENER, SPEECH, Plan, PlannedEvent
from harken.soundflow.planned_talk import OWN_VOICE, Voices, from_afar, talk_of, television
from harken.soundflow.studio import Spoken, Studio
from harken.stream import SAMPLE_RATE

F32 = np.ndarray

ASKED = "What is the capital of Austria?"
WOMAN, MAN = ("Female speech, woman speaking",), ("Male speech, man speaking",)


class FakeStudio:
    """Three voices with a few lines, and recorded talk."""

    split = "train"

    def __init__(self, voices: Sequence[str] = ("af_sky", "am_onyx", "bm_lewis")) -> None:
        self._voices = voices
        self.played: list[tuple[str, str]] = []

    def all_spoken(self, kind: str, language: str) -> list[Spoken]:
        texts = {
            "question": [(ASKED, "Vienna."), ("What should I wear?", "")],
            "not_addressed": [("The match is about to begin.", ""), ("We need milk.", "")],
            "sentence": [("The bridge is long.", "这座桥很长。")],
        }[kind]
        return [
            Spoken(kind, language, text, other, voice, cast(Any, None))
            for text, other in texts
            for voice in self._voices
        ]

    def voice(self, spoken: Spoken) -> F32:
        self.played.append((spoken.voice, spoken.text))
        return tone(1.0)

    def talk(self, random: np.random.Generator, *, english: bool) -> tuple[F32, str, str]:
        return tone(random.uniform(1, 3)), "Press four.", f"package/{english}"


class FakeTts:
    """Tones in two voices; remembers what it said."""

    name, rate_hz = "fake", SAMPLE_RATE

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def voices(self, language: str) -> tuple[str, ...]:
        return ("af_bella", OWN_VOICE)

    def say(self, text: str, language: str, voice: str, speed: float = 1.0) -> F32:
        self.said.append((voice, text))
        return tone(0.5 + 0.01 * len(text))


class Understanding:
    """Hears what was said last, or something else."""

    name = "ear"

    def __init__(self, tts: FakeTts, *, deaf_to: str = "") -> None:
        self._tts, self._deaf_to = tts, deaf_to

    def transcript(self, samples: F32, language: str) -> str:
        text = self._tts.said[-1][1]
        return "nothing of it" if text == self._deaf_to else text


def tone(seconds: float) -> F32:
    t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (0.5 * np.sin(2 * np.pi * 440 * t)).astype(np.float32)


def turn(name: str, speaker: str, to: str, tags: tuple[str, ...]) -> PlannedEvent:
    words = "somebody who says something"
    return PlannedEvent(
        name, SPEECH, "fg", (0.5, 2.0), 2.0, words, words, tags, speaker=speaker, addressed_to=to
    )


def plan_of(*turns: PlannedEvent) -> Plan:
    return Plan("home", turns, 7, "hand")


PAIR = plan_of(
    turn("t1", "mother", "father", WOMAN),
    turn("t2", "father", "mother", MAN),
    turn("t3", "mother", "father", WOMAN),
    turn("t4", "father", "mother", MAN),
)


def studio_of(fake: FakeStudio) -> Studio:
    return cast(Studio, fake)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARKEN_CACHE", str(tmp_path))


def test_speakers_have_voices_of_their_own_and_repeat_nothing() -> None:
    studio = FakeStudio()
    talk = talk_of(PAIR, studio_of(studio), np.random.default_rng(1))
    assert list(talk.takes) == ["t1", "t2", "t3"], "the fourth would repeat a line"
    assert talk.counts == {"said: take at hand": 3}
    voices = {voice for voice, _ in studio.played}
    assert "af_sky" in voices and len(voices) == 2
    assert len({text for _, text in studio.played}) == 3


def test_only_questions_to_the_listener_are_answered() -> None:
    plan = plan_of(turn("ask", "mother", LISTENER, WOMAN), turn("tell", "father", "mother", MAN))
    takes = talk_of(plan, studio_of(FakeStudio()), np.random.default_rng(0)).takes
    assert (takes["ask"].reply, takes["tell"].reply) == ("Vienna.", "")
    assert not len(takes["ask"].own), "nobody says it without a voice model"


def test_a_voice_model_says_what_there_is_no_take_of_and_our_replies() -> None:
    tts = FakeTts()
    plan = plan_of(turn("ask", "mother", LISTENER, WOMAN), turn("more", "mother", "father", WOMAN))
    studio = studio_of(FakeStudio(voices=["am_onyx"]))
    voices = Voices(tts, Understanding(tts))
    talk = talk_of(plan, studio, np.random.default_rng(0), voices)
    assert talk.counts == {"said: new take": 2}
    assert tts.said[0] == ("af_bella", ASKED) and tts.said[-1] == (OWN_VOICE, "Vienna.")
    assert len(talk.takes["ask"].own) > 0 and not len(talk.takes["more"].own)
    again = FakeTts()
    same = talk_of(plan, studio, np.random.default_rng(0), Voices(again, Understanding(again)))
    assert again.said == [], "the takes are kept"
    assert all(np.array_equal(same.takes[n].clip, talk.takes[n].clip) for n in talk.takes)


def test_talk_of_which_a_line_cannot_be_said_is_dropped_with_its_reason() -> None:
    tts = FakeTts()
    plan = plan_of(turn("ask", "mother", LISTENER, WOMAN), turn("tell", "father", "mother", MAN))
    voices = Voices(tts, Understanding(tts, deaf_to=ASKED))
    studio = studio_of(FakeStudio(voices=["am_onyx"]))
    talk = talk_of(plan, studio, np.random.default_rng(0), voices)
    assert not talk.takes and talk.counts["not said: misheard"] == 1


def test_talk_from_afar_keeps_its_length_and_comes_later() -> None:
    x = tone(1.0)
    far = from_afar(x, np.random.default_rng(0), by_loudspeaker=True)
    assert far.shape == x.shape and far.dtype == np.float32
    assert np.abs(far[:60]).max() < 0.01 < np.abs(far).max(), "sound travels 1.5 m in 70 samples"
    assert np.array_equal(far, from_afar(x, np.random.default_rng(0), by_loudspeaker=True))


def test_a_television_talks_for_a_part_of_the_stream_in_a_narrow_band() -> None:
    samples = 30 * SAMPLE_RATE
    start, programme, sources = television(
        studio_of(FakeStudio()), samples, np.random.default_rng(3)
    )
    assert 0 <= start <= 0.4 * samples
    assert 0.4 * samples <= len(programme) <= samples - start
    assert sources in ({"package/True"}, {"package/False"})
    power = np.abs(np.fft.rfft(programme)) ** 2
    hz = np.fft.rfftfreq(len(programme), 1 / SAMPLE_RATE)
    assert power[hz < 200].sum() < 0.01 * power.sum()
