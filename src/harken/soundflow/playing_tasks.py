"""Composers in which our own voice is audible: told to stop, listened to, left alone."""

import numpy as np

from harken.soundflow.composing import answer, bare_scene, say
from harken.soundflow.scene import Due, Scene, Variant
from harken.soundflow.studio import Spoken, Studio
from harken.stream import SAMPLE_RATE, Prefix

STOP_SHARE, BACKCHANNEL_SHARE = 0.45, 0.3
LEAK_SHARE = 0.7
"""How often the microphone picks up our voice; an echo canceller leaves nothing else."""
LEAK_PEAK_DB = (-50.0, -18.0)
GOES_ON_S = 1.0
"""Our voice falls silent so long after it was told to: the time to understand it."""

_OF_AN_ORDER = (
    "captions", "count", "transcrib", "translat", "interpret", "describ", "telling", "hear",
)  # fmt: skip
"""What ends a standing order is not what ends a reply."""


def interrupted(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """A question; while the answer is spoken "stop", "mhm" or nothing; then one more question."""
    scene = bare_scene(studio, random, 16, 24)
    scene.wait(0.5, 1.5)
    due = [_asked(scene, studio, random)]
    scene.wait(1.6, 2.2)
    start, voice = scene.at, _own_voice(studio, random)
    draw = random.random()
    stop: Due | None = None
    if draw < STOP_SHARE + BACKCHANNEL_SHARE:
        kind = "stop" if draw < STOP_SHARE else "backchannel"
        scene.wait(1.0, 2.5)
        said = say(scene, studio, _remark(studio, kind, random))
        if kind == "stop":
            stop = Due(*said, "words", "stop", "normal", "stop")
            voice = voice[: said[1] + int(GOES_ON_S * SAMPLE_RATE) - start]
    end = start + len(voice)
    if random.random() < LEAK_SHARE:
        scene.overlay(voice, float(random.uniform(*LEAK_PEAK_DB)), start)
    scene.at = max(scene.at, end)
    scene.wait(1.5, 3.0)
    if scene.at + 6 * SAMPLE_RATE < scene.samples:
        due.append(_asked(scene, studio, random))
    scene.samples = max(scene.samples, scene.at + 2 * SAMPLE_RATE)
    return scene, [Variant("interrupted", Prefix(), tuple(due), own_voice=(start, end), stop=stop)]


def _asked(scene: Scene, studio: Studio, random: np.random.Generator) -> Due:
    questions = [s for s in studio.all_spoken("question", "en") if s.other]
    if not questions:
        raise LookupError("no question with an answer")
    chosen = questions[int(random.integers(len(questions)))]
    return answer(say(scene, studio, chosen), chosen.other, "question")


def _own_voice(studio: Studio, random: np.random.Generator) -> np.ndarray:
    """Some sentences of one voice, at least 5 s."""
    sentences = studio.all_spoken("sentence", "en")
    if not sentences:
        raise LookupError("no sentences to speak")
    voice = sentences[int(random.integers(len(sentences)))].voice
    mine = [s for s in sentences if s.voice == voice]
    spoken = [np.zeros(0, np.float32)]
    while sum(map(len, spoken)) < 5 * SAMPLE_RATE:
        spoken.append(studio.voice(mine[int(random.integers(len(mine)))]))
    return np.concatenate(spoken)


def _remark(studio: Studio, kind: str, random: np.random.Generator) -> Spoken:
    # English alone: a Chinese word or two are seldom recognised for what they are.
    pool = [
        s
        for s in studio.all_spoken(kind, "en")
        if not any(word in s.text.lower() for word in _OF_AN_ORDER)
    ]
    if not pool:
        raise LookupError(f"no {kind} in English")
    return pool[int(random.integers(len(pool)))]
