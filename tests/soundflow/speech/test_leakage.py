import numpy as np
import pytest

from harken.errors import HarkenError
from harken.soundflow.speech.leakage import (
    Canceller,
    Leakage,
    distortion,
    drawn_leakage,
    leaked,
    overlaid,
)
from harken.soundflow.speech.rooms import Room


def voice(seconds: float = 1.0) -> np.ndarray:
    t = np.arange(int(16_000 * seconds)) / 16_000
    tones = sum(np.sin(2 * np.pi * hz * t) for hz in (200, 650, 1_100, 2_900))
    return (0.05 * tones * (1 + np.sin(2 * np.pi * 4 * t))).astype(np.float32)


def random() -> np.random.Generator:
    return np.random.default_rng(7)


def power_db(x: np.ndarray) -> float:
    return float(10 * np.log10(np.square(x, dtype=np.float64).mean()))


def test_the_echo_is_later_and_weaker() -> None:
    own = voice()
    echo = leaked(own, Leakage(0.1, -20, band="full"), random())
    assert len(echo) == len(own) + 1_600
    assert not echo[:1_600].any()
    np.testing.assert_allclose(echo[1_600:], 0.1 * own, atol=1e-6)


def test_a_small_speaker_has_no_bass() -> None:
    own = voice()
    echo = leaked(own, Leakage(0.0, 0.0), random())
    spectrum = np.abs(np.fft.rfft(echo)) / np.maximum(np.abs(np.fft.rfft(own)), 1e-9)
    assert spectrum[200] < 0.05
    assert spectrum[1_100] == pytest.approx(1, abs=0.05)


def test_a_room_adds_reflections_and_leaves_the_direct_echo() -> None:
    click = np.zeros(8_000, np.float32)
    click[100] = 1
    room = Room((5.0, 4.0, 2.5), 0.3)
    echo = leaked(click, Leakage(0.05, -6, band="full", room=room), random())
    assert int(np.abs(echo).argmax()) == 100 + 800
    assert np.abs(echo).max() == pytest.approx(10 ** (-6 / 20), rel=1e-4)
    assert np.abs(echo[1_000:3_000]).max() > 0.005


def test_a_canceller_takes_the_linear_echo_down_to_its_residue() -> None:
    own = voice()
    plain = leaked(own, Leakage(0.05, -10), random())
    by_30 = leaked(own, Leakage(0.05, -10, canceller=Canceller(30, residue_db=-90)), random())
    bent = leaked(own, Leakage(0.05, -10, canceller=Canceller(90, residue_db=-25)), random())
    assert power_db(by_30) - power_db(plain) == pytest.approx(-30, abs=0.1)
    assert power_db(bent) - power_db(plain) == pytest.approx(-25, abs=0.1)
    # What is left is no quieter copy: a linear canceller would have found that.
    alike = abs(float(bent @ plain)) / float(np.linalg.norm(bent) * np.linalg.norm(plain))
    assert alike < 0.05


def test_a_canceller_needs_time_to_adapt() -> None:
    own = voice(2.0)
    canceller = Canceller(30, residue_db=-90, adaptation_s=1.0)
    plain = leaked(own, Leakage(0.0, 0.0), random())
    heard = leaked(own, Leakage(0.0, 0.0, canceller=canceller), random())
    early, late = slice(0, 1_600), slice(20_000, 32_000)
    assert power_db(heard[early]) - power_db(plain[early]) > -4
    assert power_db(heard[late]) - power_db(plain[late]) == pytest.approx(-30, abs=0.1)


def test_distortion_is_none_of_the_voice_itself() -> None:
    own = voice()
    bent = distortion(own)
    assert power_db(bent) == pytest.approx(power_db(own), abs=0.01)
    assert abs(float(bent @ own)) < 1e-3 * float(own @ own)
    assert not distortion(np.zeros(10, np.float32)).any()


def test_the_echo_lies_over_the_stream_from_the_reply_on() -> None:
    stream = np.full(20_000, 0.01, np.float32)
    leakage = Leakage(0.1, -12, band="full")
    heard = overlaid(stream, voice(0.5), 4_000, leakage, random())
    assert len(heard) == len(stream)
    assert np.array_equal(heard[: 4_000 + 1_600], stream[: 4_000 + 1_600])
    np.testing.assert_allclose(
        heard[5_600:13_600] - stream[5_600:13_600], voice(0.5) * 10 ** (-12 / 20), atol=1e-6
    )
    assert np.array_equal(stream, np.full(20_000, 0.01, np.float32))
    cut = overlaid(stream, voice(0.5), 19_000, leakage, random())
    assert len(cut) == len(stream)
    assert np.array_equal(overlaid(stream, voice(0.5), 90_000, leakage, random()), stream)


def test_equal_seeds_give_equal_echoes() -> None:
    for seed in range(8):
        one, other = (np.random.default_rng(seed) for _ in range(2))
        first, second = drawn_leakage(one), drawn_leakage(other)
        assert first == second
        assert np.array_equal(leaked(voice(0.2), first, one), leaked(voice(0.2), second, other))
    assert drawn_leakage(np.random.default_rng(0)) != drawn_leakage(np.random.default_rng(1))


def test_impossible_echoes_are_refused() -> None:
    with pytest.raises(HarkenError, match=r"-0\.1 s late"):
        Leakage(-0.1, 0)
    with pytest.raises(HarkenError, match="use 0 or more"):
        Canceller(-3)
    with pytest.raises(HarkenError, match="sample -1"):
        overlaid(voice(), voice(), -1, Leakage(0, 0), random())
