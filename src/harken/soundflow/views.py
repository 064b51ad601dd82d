"""A data folder seen differently: rows left out, an ear deaf, another past, another pace.

A view is a data folder of its own with train rows of one folder and dev rows of another, which it
points to; features are written only where the view changes them. It appears when it is whole.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harken.errors import HarkenError
from harken.parts.cache import cache_writes
from harken.soundflow.features import stored_features
from harken.soundflow.production import BYTES_PER_CHUNK
from harken.soundflow.rehear import Ears, Pace, rehear
from harken.soundflow.repace import repaced
from harken.soundflow.rows import rows
from harken.stream import CHUNK_SAMPLES

F16 = npt.NDArray[np.float16]
Row = dict[str, Any]
Features = tuple[F16, F16]
"""sound [chunks, 1545] and acoustic [chunks, 2560]."""

SILENT_TASKS = ("background", "others_talking")
HALF, DOUBLE = CHUNK_SAMPLES // 2, 2 * CHUNK_SAMPLES
_STATES = 5


@dataclass(frozen=True, slots=True)
class Seen:
    """One stream of a source: its features, and its sound where the view listens again."""

    features: Features
    audio: npt.NDArray[np.float32] | None


@dataclass(frozen=True, slots=True)
class View:
    """What a view does: to a row (None leaves it out), to features (None keeps the file).

    hears: whether it needs the sound of the streams, which a folder may have kept or not.
    """

    row: Callable[[Row], Row | None] = lambda row: row
    features: Callable[[Seen, Ears | None], Features] | None = None
    hears: bool = False


def write_view(name: str, train: Path, dev: Path, folder: Path, ears: Ears | None = None) -> Path:
    """The data folder `folder/<name>-<hash>` of a view; one that is there is kept.

    Args:
        name: one of `VIEWS`.
        train, dev: data folders, of which the rows of these splits are taken.
        ears: for views that hear the sound again.

    Raises:
        HarkenError: no such view, a folder without streams or (for those views) without sound.
    """
    if name not in VIEWS:
        raise HarkenError(f"no view {name!r}; choose from {', '.join(VIEWS)}")
    view = VIEWS[name]
    chosen = [
        (d, r) for d, s in ((train, "train"), (dev, "dev")) for r in rows(d) if r["split"] == s
    ]
    content = json.dumps([(str(d.absolute()), r) for d, r in chosen], sort_keys=True)
    place = folder / f"{name.replace(' ', '-')}-{sha256(content.encode()).hexdigest()[:12]}"
    if place.exists():
        return place
    if view.hears:
        _require_audio(name, chosen)
        ears = ears or Ears.shipped()
    partial_folder = folder / f".{place.name}.partial"
    needed = BYTES_PER_CHUNK * sum(r["n_chunks"] for _, r in chosen) if view.features else 0
    with cache_writes(folder, needed):
        shutil.rmtree(partial_folder, ignore_errors=True)
        (partial_folder / "features").mkdir(parents=True)
        with (partial_folder / "streams.jsonl").open("w", encoding="utf-8") as out:
            for source, row in chosen:
                seen_row = view.row(row)
                if seen_row is None:
                    continue
                stored = source.absolute() / "features" / f"{row['features']}.npz"
                # An absolute name leads out of the folder's own features.
                seen_row = {**seen_row, "features": str(stored.with_suffix(""))}
                if view.features:
                    seen_row["features"] = row["features"]
                    path = partial_folder / "features" / stored.name
                    if not path.exists():
                        _write(path, view.features(_seen(stored, row, source, view), ears))
                out.write(json.dumps(seen_row, ensure_ascii=False) + "\n")
        partial_folder.rename(place)
    return place


def _seen(stored: Path, row: Row, source: Path, view: View) -> Seen:
    features = stored_features(stored, row["id"])
    if not view.hears:
        return Seen(features, None)
    import soundfile

    audio, _ = soundfile.read(_audio_of(source, row), dtype="float32")
    return Seen(features, audio)


def _require_audio(name: str, chosen: list[tuple[Path, Row]]) -> None:
    missing = [r["id"] for d, r in chosen if not _audio_of(d, r).exists()]
    if missing:
        raise HarkenError(
            f"{name} hears the streams again, and of {len(missing)} of {len(chosen)} no sound was "
            f"kept ({missing[0]}); compose them with --keep-audio, and without retold or imagined "
            "ones"
        )


def _audio_of(source: Path, row: Row) -> Path:
    return source / "audio" / f"{row['features']}.flac"


def _write(path: Path, features: Features) -> None:
    sound, acoustic = features
    # Uncompressed but where an ear is deaf: then there is nothing to store.
    save = np.savez if sound.any() and acoustic.any() else np.savez_compressed
    save(path, sound=sound, acoustic=acoustic)


def _speaks(row: Row) -> Row | None:
    """Nothing to be silent all through in what is learnt; dev rows stay."""
    quiet = row["task"] in SILENT_TASKS or not (row["said"] or row["stops"])
    return None if quiet and row["split"] == "train" else row


def _without_sound(seen: Seen, _: Ears | None) -> Features:
    sound, acoustic = seen.features
    return np.zeros_like(sound), acoustic


def _without_acoustic(seen: Seen, _: Ears | None) -> Features:
    sound, acoustic = seen.features
    return sound, np.zeros_like(acoustic)


def _without_words(row: Row) -> Row:
    return {**row, "words": []}


def _heard_at(pace: Pace) -> Callable[[Seen, Ears | None], Features]:
    def hear(seen: Seen, ears: Ears | None) -> Features:
        if seen.audio is None or ears is None:
            raise TypeError("a view that hears again needs sound and ears")
        return rehear(seen.audio, len(seen.features[0]), pace, ears)

    return hear


def _two_as_one(seen: Seen, _: Ears | None) -> Features:
    """What the ears would deliver every 0.8 s: the sound ear's newest window covers as much, and
    the acoustic ear's five states stand for 160 ms each. A last chunk alone is taken twice."""
    sound, acoustic = (np.concatenate([f, f[-1:]]) if len(f) % 2 else f for f in seen.features)
    states = acoustic.astype(np.float32).reshape(len(acoustic) // 2, _STATES, 2, -1)
    merged = states.mean(2).reshape(len(states), -1).astype(np.float16)
    return sound[1::2], merged


VIEWS: Mapping[str, View] = {
    "as it is": View(),
    "without silence": View(row=_speaks),
    "without sound": View(features=_without_sound),
    "without acoustic": View(features=_without_acoustic),
    "without words": View(row=_without_words),
    "isolated chunks": View(features=_heard_at(Pace(reach_samples=CHUNK_SAMPLES)), hears=True),
    "every 200 ms": View(
        row=partial(repaced, step_samples=HALF),
        features=_heard_at(Pace(step_samples=HALF)),
        hears=True,
    ),
    "every 800 ms": View(row=partial(repaced, step_samples=DOUBLE), features=_two_as_one),
}
