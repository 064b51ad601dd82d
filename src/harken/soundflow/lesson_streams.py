"""Streams of a lesson, heard by the real ears.

The taught sound comes among others, in noise, near and far, at another speed and in other rooms;
other streams hold none of it, so that nothing else is taken for it. The other sounds are due what
they always were: recordings where the corpora are fetched, and sounds made by rule, which need
none. What the folder holds is what `harken.soundflow.build` says.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from harken.parts import ensure
from harken.perceive.percept import Percept
from harken.perceive.sound import CLASSES, WINDOW_SAMPLES, SoundEar
from harken.soundflow import sources
from harken.soundflow.build import Means, build_recipe, heard
from harken.soundflow.composing import bare_scene, level, pick
from harken.soundflow.engine import Engine
from harken.soundflow.events import AMBIENCE, EVENTS, HARMLESS_EXTRA
from harken.soundflow.generate import GENERATORS, noise_bed
from harken.soundflow.ground.generator import RECIPES
from harken.soundflow.imagined import imaginable
from harken.soundflow.lesson import CAUSE, Lesson
from harken.soundflow.production import Progress
from harken.soundflow.recipe import Recipe, Shares
from harken.soundflow.retime import retimed
from harken.soundflow.rows import STREAM_NAME, gather, rows_in, write_retold
from harken.soundflow.scene import Due, Scene, Variant, sound_due
from harken.soundflow.sound_tasks import background, count, events, tell_when
from harken.soundflow.studio import Studio
from harken.soundflow.vary import varied
from harken.stream import CHUNK_SAMPLES, SAMPLE_RATE, Prefix

F32 = npt.NDArray[np.float32]

SHARES: Shares = (
    (CAUSE, 0.43), ("events", 0.24), ("background", 0.15), ("count", 0.1), ("tell_when", 0.08),
)  # fmt: skip
RECORDED_SHARE = 0.7
"""Share of recordings among sounds that can be made by rule as well, and of recorded places."""
SCENE_S = (11.0, 19.0)
TAUGHT_SHARE = 0.5
"""How often the next sound of a scene is the taught one."""
UNTAUGHT_SHARE = 0.35
"""How often a scene is also played under a policy that the lesson is not about."""
LONGEST_S = 6.0
ALIKE_SCORE, MOST_ALIKE = 0.3, 4
"""From this mean score on a class of the sound ear is what the taught sound is taken for."""
ALIKE_COSINE = 0.8
"""Of what is heard: a rule's sounds have 0.92 and more to each other, up to 0.83 to their kin."""

_AMBIENCE = ("ambience_machine",)
_BACKGROUND = ("rain_storm", "wind", "fire_crackle", "ambience_machine")


class HomeStudio(Studio):
    """The material of a lesson: its clips, sounds made by rule, and recordings of other sounds
    where the corpora are fetched. No speech: who teaches has none."""

    def __init__(self, lesson: Lesson, split: str) -> None:
        self.split, self.lesson = split, lesson
        self._events, self._speech = {}, {}
        if sources.has_recordings():
            recorded = sources.clips(split=split, kind="event").by_label()
            self._events = {n: clips for n, clips in recorded.items() if n not in lesson.alike}
        self._made = {recipe.label for recipe in RECIPES} | GENERATORS.keys()

    @property
    def labels(self) -> list[str]:
        """Labels with recordings or made sounds, but those that the taught one is taken for."""
        known = self._made | self._events.keys()
        return [n for n in EVENTS if n in known and n not in self.lesson.alike]

    def event(self, label: str, random: np.random.Generator) -> tuple[F32, str]:
        """One sound of a label, and where it comes from."""
        if label in self._events and (label not in self._made or random.random() < RECORDED_SHARE):
            return super().event(label, random)
        recipes = [recipe for recipe in RECIPES if recipe.label == label]
        if label in GENERATORS and (not recipes or random.random() < 0.5):
            return GENERATORS[label](random), f"made:{label}"
        recipe = recipes[int(random.integers(len(recipes)))]
        made = recipe.make(random, float(random.uniform(0.8, 3.0)))
        return varied(made, random), f"made:{recipe.name}"

    def harmless(self, random: np.random.Generator) -> tuple[F32, str]:
        """A rustle, a hiss or a thud without a name."""
        if self._plays(HARMLESS_EXTRA, random):
            return super().harmless(random)
        n = int(random.uniform(0.15, 1.5) * SAMPLE_RATE)
        t = np.arange(n) / n
        shape = (1 - t) ** random.uniform(1, 8) * np.minimum(1, t * random.uniform(10, 200))
        sound = noise_bed(random, n) * shape.astype(np.float32)
        return varied(sound, random), "made:rustle"

    def ambience(self, random: np.random.Generator) -> tuple[F32, str]:
        """Some seconds of a place where nothing can be named."""
        if self._plays(AMBIENCE, random):
            return super().ambience(random)
        return self._stretch_of(_AMBIENCE, random)

    def background(self, random: np.random.Generator) -> tuple[F32, str]:
        """Some seconds of a place, of music, weather, fire or a machine."""
        if self._plays(AMBIENCE, random):
            return super().background(random)
        return self._stretch_of(_BACKGROUND, random)

    def taught(self, random: np.random.Generator) -> F32:
        """The taught sound, as it might come another time."""
        clips = self.lesson.clips(self.split)
        clip = clips[int(random.integers(len(clips)))]
        return varied(clip[: int(LONGEST_S * SAMPLE_RATE)], random)

    def _plays(self, labels: Sequence[str], random: np.random.Generator) -> bool:
        """Whether a recording of one of these is played, not what a rule makes."""
        return any(n in self._events for n in labels) and random.random() < RECORDED_SHARE

    def _stretch_of(self, labels: Sequence[str], random: np.random.Generator) -> tuple[F32, str]:
        known = [n for n in labels if n not in self.lesson.alike]
        if not known:
            return noise_bed(random, 6 * SAMPLE_RATE), "made:noise"
        label = pick(random, known)
        recipes = [recipe for recipe in RECIPES if recipe.label == label]
        recipe = recipes[int(random.integers(len(recipes)))]
        return recipe.make(random, float(random.uniform(6, 10))), f"made:{recipe.name}"


def taught_scene(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """The taught sound among others; its reply under the policies of the lesson."""
    home = cast(HomeStudio, studio)
    scene = bare_scene(home, random, *SCENE_S)
    if random.random() < 0.3:
        clip, source = home.background(random)
        scene.lay(clip, random.uniform(-58, -38))
        scene.sources.add(source)
    spans: list[tuple[int, int]] = []
    scene.wait(0.4, 2.5)
    while True:
        draw = random.random()
        if draw < TAUGHT_SHARE or not spans:
            clip, source, label = home.taught(random), "lesson", ""
        elif draw < 0.6:
            clip, source = home.harmless(random)
            label = ""
        else:
            label = pick(random, home.labels)
            clip, source = home.event(label, random)
        if not scene.fits(clip, 1.2):
            break
        span = scene.place(clip, level(random), source, label)
        if source == "lesson":
            spans.append(span)
        scene.wait(1.3, 3.5)
    if not spans:
        raise LookupError("the taught sound is too long for the scene")
    lesson = home.lesson
    variants = [_variant(scene, p, spans, lesson) for p in lesson.policies]
    for policy in ("quiet", "care"):
        if policy not in lesson.policies and random.random() < UNTAUGHT_SHARE:
            variants.append(_variant(scene, policy, [], lesson))
    return scene, variants


def _variant(
    scene: Scene, policy: str, spans: Sequence[tuple[int, int]], lesson: Lesson
) -> Variant:
    """A scene under a policy, the reply of the lesson due to the sounds at `spans`."""
    due: list[Due] = [sound_due(*s, (lesson.text, lesson.emotion), CAUSE) for s in spans]
    for start, end, label in scene.sounds:
        if label and (reply := EVENTS[label].reply(policy)):
            due.append(sound_due(start, end, reply, label))
    due.sort(key=lambda each: each.end)
    return Variant(CAUSE if spans else policy, Prefix(policy), tuple(due))


def compose_sounds(
    folder: Path,
    split: str,
    streams: int,
    *,
    engine: Engine,
    shares: Shares = SHARES,
    hear: Callable[[F32], list[Percept]] = heard,
    progress: Callable[[Progress], None] | None = None,
) -> int:
    """Compose streams of the lesson saved in `folder`; goes on where it was killed.

    engine: who makes them. hear: other ears. Returns how many variants the folder holds.
    """
    composers = {
        CAUSE: taught_scene, "events": events, "background": background, "count": count,
        "tell_when": tell_when,
    }  # fmt: skip
    means = Means(composers, partial(_studio, folder), hear)
    recipe = Recipe(CAUSE, 1, split, shares)
    return build_recipe(
        recipe, folder, streams=streams, engine=engine, progress=progress, made_with=means
    )


def move_replies(folder: Path) -> int:
    """Add copies of the lesson's own streams whose replies come early or late (`retime`).

    A listener that serves often answers a chunk before a sound ends, and must be silent to its end.
    """
    random = np.random.default_rng(1)
    own = [
        row
        for path in sorted((folder / "lines").glob("train-*.json"))
        if STREAM_NAME.fullmatch(path.stem)
        for row in rows_in(path)
        if row["task"] == CAUSE
    ]
    write_retold(folder, "moved", own, lambda row: retimed(row, random))
    return gather(folder)


def alike(clips: Sequence[F32]) -> tuple[str, ...]:
    """Labels that the sound ear takes a sound for, or whose made sounds it hears just so.

    Of these nothing is rehearsed: it would contradict the lesson.
    """
    ear = SoundEar(ensure("yamnet"))
    scores = _mean_scores(ear, clips)
    heard = {n: float(scores[list(classes)].max()) for n, classes in imaginable().items()}
    best = sorted(heard, key=lambda n: -heard[n])[:MOST_ALIKE]
    found = {n for n in best if heard[n] >= ALIKE_SCORE}
    for number, recipe in enumerate(RECIPES):
        draws = [np.random.default_rng([number, n]) for n in range(3)]
        made = _mean_scores(ear, [recipe.make(random, 1.5) for random in draws])
        # Square roots, as the adapter of the sound ear weighs scores.
        cosine = np.sqrt(scores * made).sum() / np.sqrt(scores.sum() * made.sum())
        if cosine >= ALIKE_COSINE:
            found.add(recipe.label)
    return tuple(sorted(found))


def _mean_scores(ear: SoundEar, clips: Sequence[F32]) -> F32:
    """The mean over clips of the best score of every class, float32 [521]."""
    mean: F32 = np.mean([_best_scores(ear, clip) for clip in clips], axis=0)
    return mean


def _best_scores(ear: SoundEar, clip: F32) -> F32:
    """The best score of every class over the windows of a clip, float32 [521]."""
    padded = np.concatenate([np.zeros(WINDOW_SAMPLES, np.float32), clip])
    ends = range(WINDOW_SAMPLES + CHUNK_SAMPLES, len(padded) + CHUNK_SAMPLES, CHUNK_SAMPLES)
    windows = [
        padded[max(0, min(e, len(padded)) - WINDOW_SAMPLES) :][:WINDOW_SAMPLES] for e in ends
    ]
    best: F32 = np.max([ear.hear(w)[:CLASSES] for w in windows], axis=0)
    return best


@lru_cache(maxsize=4)
def _studio(folder: Path, split: str) -> Studio:
    return HomeStudio(Lesson.load(folder), split)
