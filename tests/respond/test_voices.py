"""Real voices: what they say, how emotions change it, and how one is chosen by name."""

import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harken.errors import HarkenError
from harken.respond import espeak, kokoro
from harken.respond.espeak import EspeakVoice
from harken.respond.voice import Samples, Voice
from harken.respond.voices import voice_named, voice_names
from harken.stream.profile import EMOTIONS

TEXT = {"en": "The kettle is boiling.", "zh": "水开了，有人在门口等。"}


@pytest.fixture(scope="module", params=["espeak", pytest.param("kokoro", marks=pytest.mark.slow)])
def voice(request: pytest.FixtureRequest) -> Voice:
    return voice_named(request.param)


def said(voice: Voice, text: str, *how: str) -> tuple[Samples, int]:
    pieces = list(voice.speak(text, *how))
    assert all(len(piece.samples) for piece in pieces)
    (rate,) = {piece.rate for piece in pieces}
    return np.concatenate([piece.samples for piece in pieces]), rate


@pytest.mark.parametrize("language", ["en", "zh"])
def test_speech_is_loud_unclipped_and_ends_in_a_pause(voice: Voice, language: str) -> None:
    samples, rate = said(voice, TEXT[language])
    assert samples.dtype == np.float32
    assert 0.8 < len(samples) / rate < 4
    level_db = 20 * np.log10(np.sqrt(np.mean(samples**2)))
    assert -30 < level_db < -15
    assert 0.1 < np.abs(samples).max() < 0.99
    loud = np.flatnonzero(np.abs(samples) > 0.01) / rate
    assert loud[0] < 0.15
    assert 0.2 < len(samples) / rate - loud[-1] < 0.6


def test_urgent_is_quicker_than_sad(voice: Voice) -> None:
    urgent, _ = said(voice, TEXT["en"], "urgent")
    sad, _ = said(voice, TEXT["en"], "sad")
    assert len(urgent) < 0.85 * len(sad)


def test_nothing_to_say_makes_no_sound(voice: Voice) -> None:
    assert list(voice.speak(" … ")) == []
    assert list(voice.speak("")) == []


def test_what_it_cannot_do_is_refused(voice: Voice) -> None:
    with pytest.raises(HarkenError, match="no emotion 'bored'; choose one of happy"):
        next(voice.speak("Hello.", "bored"))
    with pytest.raises(HarkenError, match="choose en"):
        next(voice.speak("Hello.", "normal", "xx"))


def pitch_hz(samples: Samples, rate: int) -> float:
    """Median over frames of 40 ms, by autocorrelation between 75 and 400 Hz."""
    frames = samples[: len(samples) // 882 * 882].reshape(-1, 882)
    voiced = frames[np.sqrt((frames**2).mean(axis=1)) > 0.03]
    lags = [np.correlate(f, f, "full")[881:][rate // 400 : rate // 75] for f in voiced]
    return float(np.median([rate / (rate // 400 + lag.argmax()) for lag in lags]))


def test_emotions_and_variants_change_the_pitch_of_espeak() -> None:
    voice, high = EspeakVoice(), EspeakVoice("f5")
    pitch = {e: pitch_hz(*said(voice, TEXT["en"], e)) for e in EMOTIONS}
    assert pitch["sad"] < 0.95 * pitch["normal"]
    assert pitch["surprise"] > 1.15 * pitch["normal"]
    assert pitch_hz(*said(high, TEXT["en"])) > 1.3 * pitch["normal"]


@pytest.mark.slow
def test_emotions_change_the_pitch_of_kokoro() -> None:
    voice = voice_named("kokoro")
    pitch = {e: pitch_hz(*said(voice, TEXT["en"], e)) for e in ("normal", "sad", "surprise")}
    assert pitch["sad"] < 0.95 * pitch["normal"]
    assert pitch["surprise"] > 1.08 * pitch["normal"]


def test_espeak_says_the_same_from_two_threads_at_once() -> None:
    texts = {"en": "One two three four five.", "zh": "一二三四五六。"}
    voice = EspeakVoice()
    alone = {language: said(voice, text)[0] for language, text in texts.items()}
    together: dict[str, list[Samples]] = {language: [] for language in texts}

    def speak(language: str) -> None:
        together[language] += [said(voice, texts[language])[0] for _ in range(5)]

    threads = [threading.Thread(target=speak, args=(language,)) for language in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for language, samples in alone.items():
        # Two takes differ by a few samples anyway.
        assert [len(s) for s in together[language]] == pytest.approx(5 * [len(samples)], rel=0.02)


def test_closing_ends_an_utterance() -> None:
    utterance = EspeakVoice().speak("The kettle is boiling, and somebody is at the door.")
    next(utterance)
    utterance.close()
    with pytest.raises(StopIteration):
        next(utterance)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nobody", "no voice 'nobody'; choose one of kokoro, espeak, cosyvoice"),
        ("kokoro:nobody", "no kokoro voice 'nobody'; choose one of af_alloy"),
        ("espeak:nobody", "no espeak variant 'nobody'; choose f1"),
        ("cosyvoice", "'' is no address: write cosyvoice:http://HOST:PORT"),
    ],
)
def test_a_wrong_name_is_refused(name: str, message: str) -> None:
    with pytest.raises(HarkenError, match=message):
        voice_named(name)


@pytest.mark.parametrize(
    ("package", "say", "extra"),
    [
        ("espeakng_loader", lambda: espeak._espeak.__wrapped__(), "espeak"),
        ("kokoro_onnx", lambda: kokoro._kokoro_model.__wrapped__(1, False, 0), "voice"),
    ],
)
def test_a_missing_package_names_its_extra(
    package: str, say: Callable[[], object], extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(HarkenError, match=rf"pip install 'harken\[{extra}\]'"):
        say()


def test_a_package_adds_a_voice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hum.py").write_text(
        "from harken.respond.espeak import EspeakVoice\n"
        "def make(argument):\n"
        "    voice = EspeakVoice()\n"
        "    voice.name = f'hum {argument}'\n"
        "    return voice\n"
    )
    info = tmp_path / "hum-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hum\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[harken.voices]\nhum = hum:make\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert voice_named("hum:low").name == "hum low"
    assert voice_names() == ("kokoro", "espeak", "cosyvoice", "hum")
