"""How the thresholds of the cascade's ear for sounds are chosen, on train streams alone.

Where DATA is a folder of `harken data build DATA --split train`, this makes the module again:

    python -m harken.evals.cascade.thresholds DATA > src/harken/evals/cascade/chosen.py
    ruff format src/harken/evals/cascade/chosen.py

Streams that were retold or imagined are left out: the rival is set up with what was really heard.
The classes of a label are those of `audioset.json` and the relatives below, which an engineer adds
who sees that YAMNet says "Cattle" to a cow.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harken.evals.cascade.sounds import HOLD_CHUNKS, Thresholds, smoothed
from harken.soundflow.corpora import data_text
from harken.soundflow.events import EVENTS
from harken.soundflow.features import stored_features
from harken.soundflow.rows import rows
from harken.stream import CHUNK_SAMPLES

F32 = npt.NDArray[np.float32]

RELATIVES: dict[str, tuple[str, ...]] = {
    "airplane_jet_rocket": ("Aircraft", "Aircraft engine", "Propeller, airscrew"),
    "alarm_clock_or_alarm": ("Busy signal", "Ringtone", "Beep, bleep"),
    "applause_clap": ("Hands",),
    "bell_gong": ("Bell", "Ding", "Jingle bell", "Tubular bells", "Chime"),
    "birds": ("Bird", "Bird flight, flapping wings"),
    "brass_horn": ("Brass instrument", "Trombone", "French horn"),
    "buzzing_insect": ("Insect",),
    "cat_meow": ("Cat",),
    "clock_tick": ("Clock",),
    "cough": ("Hiccup", "Throat clearing"),
    "cow_deer": ("Cattle, bovinae",),
    "dog_bark": ("Dog",),
    "door": ("Sliding door", "Cupboard open or close", "Drawer open or close"),
    "duck_goose": ("Duck", "Goose"),
    "explosion_firework": ("Eruption", "Burst, pop", "Fireworks"),
    "finger_snap": ("Slap, smack", "Hands"),
    "footsteps": ("Run", "Shuffle", "Chop", "Clip-clop"),
    "glass_break": ("Glass", "Breaking", "Smash, crash", "Chink, clink"),
    "gunshot": ("Burst, pop", "Explosion", "Cap gun", "Firecracker"),
    "horse": ("Horse",),
    "human_pain_groan": ("Grunt", "Whimper", "Gasp"),
    "instrument_music": ("Musical instrument", "Percussion", "Plucked string instrument", "Piano"),
    "keyboard_typing": ("Typewriter",),
    "knock": ("Tap", "Thump, thud", "Wood", "Tick", "Tick-tock", "Clock"),
    "laughter": ("Snicker", "Belly laugh", "Baby laughter"),
    "machine_factory_appliance": ("Engine", "Idling"),
    "phone_ring": ("Telephone",),
    "pig": ("Pig",),
    "rain_storm": ("Raindrop",),
    "rooster_chicken": ("Chicken, rooster", "Fowl"),
    "scream_human": ("Yell", "Shout", "Groan"),
    "sheep_goat": ("Goat",),
    "siren_or_fire_station": ("Emergency vehicle",),
    "sneeze": ("Gasp",),
    "splash": ("Slosh", "Liquid"),
    "tools_hammer_saw": ("Hammer", "Sawing", "Power tool", "Filing (rasp)"),
    "train": ("Rail transport",),
    "ui_notification": ("Ding", "Chime", "Beep, bleep"),
    "vehicle_engine_traffic": ("Vehicle", "Car", "Motor vehicle (road)", "Engine"),
    "water_drop": ("Plop", "Trickle, dribble"),
    "water_flowing_bubbles": ("Gurgling", "Water", "Liquid", "Trickle, dribble"),
    "wind": ("Wind noise (microphone)",),
    "wolf_howl_growl": ("Canidae, dogs, wolves",),
}

_CHOSEN = '''"""Thresholds of the cascade's ear for sounds, chosen on train streams by a program.

`python -m harken.evals.cascade.thresholds DATA` prints this module; the numbers are scores of
YAMNet's classes. UNASKED: from which a sound counts as heard when nobody waits for it. EXPECTED:
when it is counted or awaited.
"""

from harken.evals.cascade.sounds import Thresholds
'''

GRID = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9)
"""Scores to choose a threshold from."""
UNHEARD = (0.5, 0.65, 0.8, 0.9)
"""Thresholds for a class that no train stream has sounds of: the first with few mistakes, or the
last."""
FEW_MISTAKES = 3
FEWEST = 5
"""Sounds of a label below which nothing is chosen."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How many missed sounds one false alarm is as bad as: an alarm out of nothing, and one while
    another sound is heard, which may still get its right name by being likelier."""

    alarm: float
    mistaken: float


UNASKED_WEIGHTS = Weights(alarm=2.0, mistaken=0.2)
EXPECTED_WEIGHTS = Weights(alarm=0.03, mistaken=0.03)


@dataclass(frozen=True, slots=True)
class Listened:
    """Scores of a stream, float32 [chunks, classes], averaged over two chunks as the rival does,
    and its sounds (start and end in samples at 16 kHz, label)."""

    scores: F32
    sounds: tuple[tuple[int, int, str], ...]


def train_streams(data: Path, classes: int = 521) -> list[Listened]:
    """The train streams of a data folder that were really heard, each audio once."""
    found: dict[str, Listened] = {}
    for row in rows(data):
        name = row["features"]
        made_up = row.get("retold") or row.get("resound")
        if row["split"] != "train" or made_up or name in found:
            continue
        sound, _ = stored_features(data / "features" / f"{name}.npz", name)
        scores = sound[:, :classes].astype(np.float32)
        before = np.concatenate([scores[:1], scores[:-1]])
        found[name] = Listened(
            smoothed(before, scores), tuple((a, b, n) for a, b, n in row["sounds"])
        )
    return list(found.values())


def choose_thresholds(
    streams: Sequence[Listened], names: Sequence[str], weights: Weights = UNASKED_WEIGHTS
) -> dict[str, dict[str, float]]:
    """For each label the classes to listen to and their thresholds.

    Class after class is taken with the threshold that lowers the harm most: sounds of the label
    missed, and false alarms by their weights. A label that is never worth its alarms has no entry;
    one with too few sounds listens to all of its own classes by `UNHEARD`.
    """
    place = {name: i for i, name in enumerate(names)}
    listed: dict[str, list[str]] = json.loads(data_text("audioset.json"))
    chosen: dict[str, dict[str, float]] = {}
    for label in EVENTS:
        both = dict.fromkeys([*listed.get(label, []), *RELATIVES.get(label, ())])
        candidates = [name for name in both if name in place]
        evidence = [_evidence(streams, label, place[c]) for c in candidates]
        if not evidence or len(evidence[0].peaks) < FEWEST:
            pairs = zip(candidates, evidence, strict=True)
            chosen[label] = {name: _unheard(e) for name, e in pairs}
            continue
        chosen[label] = _least_harm(candidates, evidence, weights)
    return {label: classes for label, classes in chosen.items() if classes}


@dataclass(frozen=True, slots=True)
class _Evidence:
    """Of one class for one label: its peak in every sound of the label and in every other one that
    has a label, and its scores outside of both."""

    peaks: F32
    others: F32
    elsewhere: F32


def _evidence(streams: Sequence[Listened], label: str, place: int) -> _Evidence:
    peaks: dict[bool, list[float]] = {True: [], False: []}
    elsewhere: list[F32] = []
    for stream in streams:
        scores = stream.scores[:, place].copy()
        for start, end, name in stream.sounds:
            if name:
                span = slice(start // CHUNK_SAMPLES, end // CHUNK_SAMPLES + 3)
                peaks[name == label].append(float(stream.scores[span, place].max(initial=0)))
                scores[span] = 0
        # Streams stay apart: an alarm at the end of one is not that at the start of the next.
        elsewhere += [scores, np.zeros(HOLD_CHUNKS + 1, np.float32)]
    return _Evidence(
        np.array(peaks[True], np.float32),
        np.array(peaks[False], np.float32),
        np.concatenate(elsewhere),
    )


def _unheard(evidence: _Evidence) -> float:
    """A threshold for a class without sounds of its own, by what else it is heard in."""
    for level in UNHEARD:
        if (evidence.others >= level).sum() + _runs(evidence.elsewhere >= level) <= FEW_MISTAKES:
            return level
    return UNHEARD[-1]


def _least_harm(
    candidates: Sequence[str], evidence: Sequence[_Evidence], weights: Weights
) -> dict[str, float]:
    """Classes and thresholds, taken one after the other while the harm falls."""
    chosen: dict[str, float] = {}
    least = float(len(evidence[0].peaks))
    while True:
        tried = [
            (_harm([*chosen.items(), (name, t)], candidates, evidence, weights), -t, name)
            for name in candidates
            if name not in chosen
            for t in GRID
        ]
        harm, level, name = min(tried, default=(least, 0.0, ""))
        if harm >= least:
            return chosen
        least, chosen[name] = harm, -level


def _harm(
    chosen: Sequence[tuple[str, float]],
    candidates: Sequence[str],
    evidence: Sequence[_Evidence],
    weights: Weights,
) -> float:
    used = [(evidence[candidates.index(name)], level) for name, level in chosen]
    missed = np.logical_and.reduce([e.peaks < level for e, level in used]).sum()
    mistaken = np.logical_or.reduce([e.others >= level for e, level in used]).sum()
    alarms = _runs(np.logical_or.reduce([e.elsewhere >= level for e, level in used]))
    return float(missed + weights.mistaken * mistaken + weights.alarm * alarms)


def _runs(alarm: npt.NDArray[np.bool_]) -> int:
    """How many alarms chunks make; those close to each other are one."""
    at = np.flatnonzero(alarm)
    return int(len(at) and 1 + (np.diff(at) > HOLD_CHUNKS).sum())


def source(unasked: Thresholds, expected: Thresholds) -> str:
    """The module `harken.evals.cascade.chosen` as text, before formatting."""
    parts = [_CHOSEN]
    for name, table in (("UNASKED", unasked), ("EXPECTED", expected)):
        lines = [f"    {json.dumps(label)}: {json.dumps(each)}," for label, each in table.items()]
        parts.append(f"\n{name}: Thresholds = {{\n" + "\n".join(lines) + "\n}\n")
    return "".join(parts)


def main(data: Path) -> None:
    """Print the chosen thresholds."""
    from harken.parts import ensure
    from harken.perceive.sound import class_names

    streams, names = train_streams(data), class_names(ensure("yamnet"))
    unasked = choose_thresholds(streams, names, UNASKED_WEIGHTS)
    expected = choose_thresholds(streams, names, EXPECTED_WEIGHTS)
    print(source(unasked, expected), end="")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
