from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from harken.errors import HarkenError
from harken.parts.cache import cache_dir
from harken.parts.fetch import ensure
from harken.soundflow.speech.gate import (
    SPEEDS,
    Dialogue,
    Dropped,
    Reason,
    WhisperEar,
    _windows,
    counted,
    error_rate,
    speak_dialogue,
)
from harken.soundflow.speech.tts import Kokoro, VoiceFailed

STEP = 64 / 32768


@dataclass
class Parrot:
    """A voice whose sound spells its text; `mumbles` holds the speeds at which words get lost."""

    name: str = "parrot"
    rate_hz: int = 16_000
    mumbles: tuple[float, ...] = ()
    dies: tuple[float, ...] = ()
    is_mute: bool = False
    said: list[tuple[str, str, float]] = field(default_factory=list)

    def voices(self, language: str) -> tuple[str, ...]:
        return ("polly", "coco", "af_nova")

    def say(self, text: str, language: str, voice: str, speed: float = 1.0) -> np.ndarray:
        self.said.append((text, voice, speed))
        if speed in self.dies:
            raise VoiceFailed("died", f"no breath for {text!r}")
        if self.is_mute:
            return np.zeros(16_000, np.float32)
        if speed in self.mumbles:
            text = text.split()[0] if language == "en" else text[:1]
        codes = np.frombuffer(text.encode(), np.uint8)
        return np.asarray(codes * STEP, np.float32)


@dataclass
class Speller:
    """Hears what the parrot spelled."""

    name: str = "speller"
    heard: int = 0

    def transcript(self, samples: np.ndarray, language: str) -> str:
        self.heard += 1
        return bytes(np.rint(samples / STEP).astype(np.uint8)).decode()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    if request.node.get_closest_marker("slow"):
        # The parts of the user's cache, and none of its speech.
        ensure("whisper")
        (tmp_path / "parts").symlink_to(cache_dir() / "parts")
    monkeypatch.setenv("HARKEN_CACHE", str(tmp_path))
    return tmp_path


TURNS = ("Count **3** dogs, please.", "It is 5 pm.")


def speak(tts: Parrot, turns: tuple[str, ...] = TURNS, name: str = "one") -> Dialogue | Dropped:
    return speak_dialogue(turns, "en", tts=tts, ear=Speller(), name=name)


def test_a_dialogue_is_said_in_spoken_form_in_one_voice() -> None:
    tts = Parrot()
    result = speak(tts)
    assert isinstance(result, Dialogue)
    assert [clip.spoken.text for clip in result.clips] == [
        "Count three dogs, please.",
        "It is five PM.",
    ]
    assert [clip.written for clip in result.clips] == list(TURNS)
    assert {voice for _, voice, _ in tts.said} == {result.voice}
    assert all(clip.takes[-1].error_rate == 0 for clip in result.clips)
    assert all(clip.samples.dtype == np.float32 and clip.samples.any() for clip in result.clips)


def test_voices_differ_between_dialogues_and_judges_never_speak() -> None:
    voices = set()
    for n in range(30):
        result = speak(Parrot(), TURNS[:1], name=f"dialogue {n}")
        assert isinstance(result, Dialogue)
        voices.add(result.voice)
    assert voices == {"polly", "coco"}


def test_a_misheard_take_is_tried_at_another_speed() -> None:
    tts = Parrot(mumbles=SPEEDS[:1])
    result = speak(tts, TURNS[:1])
    assert isinstance(result, Dialogue)
    first, second = result.clips[0].takes
    assert (first.reason, first.heard, first.error_rate) == (Reason.MISHEARD, "Count", 0.75)
    assert (second.reason, second.speed) == (None, SPEEDS[1])
    assert counted([result]) == {"spoken": 1, "take: misheard": 1}


def test_after_two_retries_the_whole_dialogue_is_dropped() -> None:
    tts = Parrot(mumbles=SPEEDS)
    result = speak(tts, ("Hello.", "It is late."))
    assert isinstance(result, Dropped)
    assert (result.turn, result.reason, result.written) == (1, Reason.MISHEARD, "It is late.")
    assert [take.speed for take in result.takes] == list(SPEEDS)
    assert counted([result]) == {"dropped: misheard": 1, "take: misheard": 3}


def test_a_voice_that_dies_or_is_mute_is_counted_by_name() -> None:
    died = speak(Parrot(dies=SPEEDS))
    silent = speak(Parrot(is_mute=True))
    assert isinstance(died, Dropped) and isinstance(silent, Dropped)
    assert (died.reason, silent.reason) == (Reason.DIED, Reason.SILENT)
    assert "no breath" in died.takes[0].detail
    assert "returned silence" in silent.takes[0].detail
    assert counted([died, silent]) == {
        "dropped: died": 1,
        "take: died": 3,
        "dropped: silent": 1,
        "take: silent": 3,
    }


def test_a_turn_without_a_word_drops_its_dialogue() -> None:
    tts = Parrot()
    result = speak(tts, ("***", "Hello."))
    assert result == Dropped(0, "***", Reason.EMPTY, ())
    assert tts.said == []


def test_verdicts_and_sounds_are_kept() -> None:
    tts, ear = Parrot(mumbles=SPEEDS[:1]), Speller()
    first = speak_dialogue(TURNS, "en", tts=tts, ear=ear, name="one")
    calls, heard = len(tts.said), ear.heard
    again = speak_dialogue(TURNS, "en", tts=tts, ear=ear, name="one")
    assert (len(tts.said), ear.heard) == (calls, heard)
    assert again == first
    assert isinstance(first, Dialogue) and isinstance(again, Dialogue)
    for one, other in zip(first.clips, again.clips, strict=True):
        assert np.array_equal(one.samples, other.samples)
    speak_dialogue(TURNS, "en", tts=tts, ear=Speller("another ear"), name="one")
    assert len(tts.said) == 2 * calls


def test_a_lost_sound_is_said_anew_and_a_death_is_not_kept(cache: Path) -> None:
    first = speak(Parrot())
    for sound in (cache / "speech" / "checked").glob("*.flac"):
        sound.write_bytes(b"torn")
    tts = Parrot()
    assert speak(tts) == first
    assert len(tts.said) == 2
    assert isinstance(speak(Parrot(dies=SPEEDS), ("Anew.",)), Dropped)
    assert isinstance(speak(Parrot(), ("Anew.",)), Dialogue)


@pytest.mark.parametrize(
    ("wanted", "heard", "language", "rate"),
    [
        ("It's twenty-four dollars.", "its $24", "en", 0),
        ("at five PM.", "At 5 p.m.", "en", 0),
        ("one two three four", "one two four", "en", 0.25),
        ("one two", "one two three", "en", 0.5),
        ("one two", "", "en", 1),
        ("今天有三个人。", "今天有3個人", "zh", 0),
        ("今天很冷", "今天很热", "zh", 0.25),
    ],
)
def test_error_rates(wanted: str, heard: str, language: str, rate: float) -> None:
    assert error_rate(wanted, heard, language) == rate


def test_long_clips_are_cut_where_they_are_quiet() -> None:
    samples = np.ones(16_000 * 40, np.float32)
    samples[16_000 * 23 : 16_000 * 23 + 800] = 0
    pieces = _windows(samples)
    assert np.array_equal(np.concatenate(pieces), samples)
    assert len(pieces[0]) == pytest.approx(16_000 * 23 + 400, abs=400)
    assert all(len(piece) <= 16_000 * 26 for piece in pieces)


def test_another_language_is_refused() -> None:
    with pytest.raises(HarkenError, match="choose en or zh"):
        speak_dialogue(["bonjour"], "fr", tts=Parrot(), ear=Speller(), name="one")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "written", "spoken"),
    [
        (
            "en",
            "The train leaves at 3:45 PM.",
            "The train leaves at three forty-five PM.",
        ),
        ("zh", "我们下午3点去学校。", "我们下午三点去学校。"),
    ],
)
def test_kokoro_is_understood_by_whisper(language: str, written: str, spoken: str) -> None:
    result = speak_dialogue([written], language, tts=Kokoro(), ear=WhisperEar(), name="a train")
    assert isinstance(result, Dialogue), result
    (clip,) = result.clips
    assert clip.spoken.text == spoken
    heard = clip.takes[-1].heard
    # The same sound is no other sentence.
    other = {"en": "Bring me two dogs.", "zh": "请你去外面买菜"}[language]
    assert error_rate(other, heard, language) > 0.5
