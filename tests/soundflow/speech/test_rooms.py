import numpy as np
import pytest

from harken.errors import HarkenError
from harken.soundflow.speech.rooms import (
    SOUND_M_PER_S,
    Point,
    Room,
    balanced,
    impulse_response,
    placed,
    sabine_s,
)

ROOMS = [
    ((4.0, 3.0, 2.5), 0.3),
    ((6.0, 5.0, 2.7), 0.5),
    ((7.1, 5.3, 3.0), 0.25),
    ((3.3, 2.7, 2.4), 0.6),
]


def decay_s(response: np.ndarray) -> float:
    """RT60 from the decay between -5 and -25 dB (Schroeder 1965)."""
    left = np.cumsum(np.square(response[::-1], dtype=np.float64))[::-1]
    level_db = 10 * np.log10(left / left[0] + 1e-12)
    start, end = (int(np.flatnonzero(level_db < db)[0]) for db in (-5, -25))
    return 3 * (end - start) / 16_000


def eyring_s(size_m: Point, absorption: float) -> float:
    """RT60 by Eyring, S a of Sabine's formula as -S ln(1 - a): better in dry rooms."""
    return sabine_s(size_m, absorption) * absorption / -float(np.log1p(-absorption))


@pytest.mark.parametrize(("size_m", "rt60_s"), ROOMS)
def test_a_room_decays_between_eyring_and_sabine(size_m: Point, rt60_s: float) -> None:
    room = Room(size_m, rt60_s)
    response = impulse_response(room, *placed(room, 1.5, np.random.default_rng(3)))
    assert sabine_s(size_m, room.absorption) == pytest.approx(rt60_s)
    measured_s = decay_s(response)
    assert 0.9 * eyring_s(size_m, room.absorption) < measured_s < 1.2 * rt60_s


@pytest.mark.parametrize("distance_m", [0.5, 1.0, 2.3])
def test_the_direct_sound_comes_first_after_the_distance(distance_m: float) -> None:
    room = Room((6.0, 5.0, 2.7), 0.3)
    response = impulse_response(room, *placed(room, distance_m, np.random.default_rng(1)))
    first = int(np.flatnonzero(np.abs(response) > 0.5 * np.abs(response).max())[0])
    assert first / 16_000 * SOUND_M_PER_S == pytest.approx(distance_m, abs=0.022)
    peak = np.abs(response[first : first + 2]).max()
    # A delay between two samples spreads the peak over both.
    assert 0.6 / distance_m < peak < 1.05 / distance_m


def test_the_first_reflection_is_that_of_the_nearest_wall() -> None:
    room = Room((6.0, 5.0, 3.0), 0.4)
    source, microphone = (2.0, 2.5, 1.5), (4.0, 2.5, 1.5)
    response = impulse_response(room, source, microphone)
    # Floor and ceiling at 1.5 m: sqrt(2^2 + 3^2) m of way, two images of equal strength.
    at = round(np.hypot(2, 3) / SOUND_M_PER_S * 16_000)
    around = np.abs(response[at - 3 : at + 4])
    expected = 2 * np.sqrt(1 - room.absorption) / np.hypot(2, 3)
    assert around.max() == pytest.approx(expected, rel=0.35)
    quiet = np.abs(response[round(2.2 / SOUND_M_PER_S * 16_000) + 8 : at - 8])
    assert quiet.max() < 0.2 * around.max()


def test_places_are_in_the_room_and_apart() -> None:
    room = Room((5.0, 4.0, 2.5), 0.3)
    random = np.random.default_rng(0)
    for distance_m in (0.3, 1.0, 3.0):
        for _ in range(20):
            source, microphone = placed(room, distance_m, random)
            apart = float(np.linalg.norm(np.subtract(source, microphone)))
            assert apart == pytest.approx(distance_m)
            for point in (source, microphone):
                assert all(0.3 <= p <= s - 0.3 for p, s in zip(point, room.size_m, strict=True))


@pytest.mark.parametrize("wanted_db", [-6.0, 0.0, 12.0])
def test_the_balance_of_direct_and_reverberant_sound(wanted_db: float) -> None:
    room = Room((5.0, 4.0, 2.5), 0.4)
    response = impulse_response(room, *placed(room, 2.0, np.random.default_rng(2)))
    changed = balanced(response, 2.0 / SOUND_M_PER_S, wanted_db)
    direct_end = int((2.0 / SOUND_M_PER_S + 0.0025) * 16_000) + 1
    energy = np.square(changed, dtype=np.float64)
    ratio = 10 * np.log10(energy[:direct_end].sum() / energy[direct_end:].sum())
    assert ratio == pytest.approx(wanted_db, abs=0.01)
    assert np.array_equal(changed[:direct_end], response[:direct_end])


def test_impossible_rooms_are_refused() -> None:
    with pytest.raises(HarkenError, match="too small"):
        Room((0.5, 3.0, 2.5), 0.3)
    with pytest.raises(HarkenError, match="out of range"):
        Room((4.0, 3.0, 2.5), 3.0)
    with pytest.raises(HarkenError, match=r"as dry as 0\.01 s: at least 0\.08 s"):
        Room((4.0, 3.0, 2.5), 0.01)
    with pytest.raises(HarkenError, match=r"nobody can be 9\.0 m away"):
        placed(Room((4.0, 3.0, 2.5), 0.3), 9.0, np.random.default_rng(0))
