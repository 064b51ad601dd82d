"""A lesson: recordings of one new sound, and the reply it should get.

Whoever teaches has a folder and a sentence. The recordings are cut to their event (`clean`), what
cannot be learnt from is refused by name, and one in five is held out to see what was learnt.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from harken.errors import HarkenError
from harken.parts.cache import cache_writes, place
from harken.soundflow.clean import clean
from harken.soundflow.decode import as_pcm16, decode
from harken.stream import POLICIES, SAMPLE_RATE
from harken.stream.profile import EMOTIONS

F32 = npt.NDArray[np.float32]

CAUSE = "lesson"
"""What replies to the taught sound are due to, and the task of the streams that teach them."""
LEAST_CLIPS = 5
HELD_OUT_ONE_IN = 5
SHORTEST_S, LONGEST_S = 0.1, 60.0
"""Of a recording; a longer one holds more than one sound."""
LEAST_LEVEL_DB = -60.0
LONGEST_TEXT = 200
"""Characters: a reply is a sentence or two."""

_VERSION = 2
"""Of what is composed of a lesson: another one is composed anew."""
_CLIPS_BYTES = 50_000_000


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that is not learnt from, and why."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is to be taught.

    name: a short name, from that of the folder. text, emotion: the reply. policies: under which it
    is due. taught, held_out: events, float32 [n] at 16 kHz; the held out ones are never learnt
    from. alike: labels of `EVENTS` that the sound ear takes it for: of these nothing is rehearsed.
    """

    name: str
    text: str
    emotion: str
    policies: tuple[str, ...]
    taught: tuple[F32, ...]
    held_out: tuple[F32, ...]
    refused: tuple[Refused, ...] = ()
    alike: tuple[str, ...] = field(default=())

    @property
    def digest(self) -> str:
        """Equal for equal clips and replies, wherever they lie: 16 hex digits."""
        told = json.dumps([_VERSION, self.text, self.emotion, self.policies, self.alike])
        clips = b"".join(_digest(clip).encode() for clip in (*self.taught, *self.held_out))
        return sha256(told.encode() + clips).hexdigest()[:16]

    def clips(self, split: str) -> tuple[F32, ...]:
        """What streams of that split are made with."""
        return self.taught if split == "train" else self.held_out

    def save(self, folder: Path) -> None:
        """Into `folder`, whole or not at all: the workers that compose read it from there."""
        told = {
            "name": self.name, "text": self.text, "emotion": self.emotion,
            "policies": self.policies, "alike": self.alike, "taught": len(self.taught),
        }  # fmt: skip
        partial = folder / "lesson.partial"
        with cache_writes(folder, _CLIPS_BYTES):
            folder.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as f:
                clips = {f"clip{n:04}": c for n, c in enumerate((*self.taught, *self.held_out))}
                np.savez(f, told=np.array(json.dumps(told)), **clips)  # type: ignore[arg-type]
            place(partial, folder / "lesson.npz")

    @classmethod
    def load(cls, folder: Path) -> "Lesson":
        """The inverse of `save`, without the refused files."""
        try:
            with np.load(folder / "lesson.npz") as stored:
                told = json.loads(str(stored["told"]))
                clips = [stored[name] for name in sorted(stored.files) if name != "told"]
        except (OSError, ValueError, KeyError) as broken:
            raise HarkenError(
                f"the lesson in {folder} cannot be read ({broken}); delete the folder and teach "
                "again"
            ) from broken
        taught = told["taught"]
        return cls(
            told["name"], told["text"], told["emotion"], tuple(told["policies"]),
            tuple(clips[:taught]), tuple(clips[taught:]), (), tuple(told["alike"]),
        )  # fmt: skip


def read_lesson(
    folder: Path, text: str, *, policies: Sequence[str] = ("care",), emotion: str = "normal"
) -> Lesson:
    """The lesson of a folder of recordings of one sound, in any format that can be decoded.

    Raises:
        HarkenError: no such folder, nothing in it, fewer than five recordings that can be learnt
            from, no text or too long a one, an unknown policy or emotion.
    """
    text = _checked_text(text)
    for policy in policies:
        if policy not in POLICIES:
            raise HarkenError(f"no policy {policy!r}; choose from {', '.join(POLICIES)}")
    if not policies:
        raise HarkenError(f"no policy is given; choose from {', '.join(POLICIES)}")
    if emotion not in EMOTIONS:
        raise HarkenError(f"no emotion {emotion!r}; choose from {', '.join(EMOTIONS)}")
    files = _files(folder)
    by_digest: dict[str, F32] = {}
    refused: list[Refused] = []
    for file in files:
        name = str(file.relative_to(folder))
        try:
            event = event_of(file)
        except HarkenError as error:
            # The folder is known: its name would hide the file's.
            refused.append(Refused(name, str(error).replace(str(file), "it")))
            continue
        if by_digest.setdefault(_digest(event), event) is not event:
            refused.append(Refused(name, "it is a copy of another one"))
    if len(by_digest) < LEAST_CLIPS:
        raise HarkenError(
            f"{folder} has {len(by_digest)} recordings to learn from, at least {LEAST_CLIPS} are "
            f"needed, 30 are good{_told(refused)}"
        )
    # In the order of their hashes, so that names and additions move little.
    events = [by_digest[digest] for digest in sorted(by_digest)]
    held_out = events[::HELD_OUT_ONE_IN]
    taught = [event for n, event in enumerate(events) if n % HELD_OUT_ONE_IN]
    chosen = tuple(dict.fromkeys(policies))
    name = lesson_name(folder)
    return Lesson(name, text, emotion, chosen, tuple(taught), tuple(held_out), tuple(refused))


def event_of(file: Path) -> F32:
    """The event in a recording, float32 [n] at 16 kHz, cleaned.

    Raises:
        HarkenError: it cannot be decoded, is too short or too long, quieter than -60 dB, or holds
            NaN.
    """
    try:
        stated_s = float(soundfile.info(file).duration)
    except (soundfile.LibsndfileError, OSError, TypeError):
        stated_s = 0.0  # another decoder may know it
    if stated_s <= LONGEST_S:
        try:
            samples = decode(file)
        except TypeError as headerless:  # libsndfile's word for samples of unknown format
            raise HarkenError(f"{file} does not tell its format: make it WAV") from headerless
        stated_s = len(samples) / SAMPLE_RATE
    if stated_s > LONGEST_S:
        raise HarkenError(f"{file} lasts {stated_s:.0f} s, more than {LONGEST_S:.0f}: cut it")
    if stated_s < SHORTEST_S:
        raise HarkenError(f"{file} lasts {stated_s:.2f} s, less than {SHORTEST_S}")
    level_db = 10 * np.log10(float(np.mean(np.square(samples, dtype=np.float64))) + 1e-12)
    if level_db < LEAST_LEVEL_DB:
        raise HarkenError(f"{file} is quieter than {LEAST_LEVEL_DB:.0f} dB")
    # In 16 bits, so that the same sound in another container is seen to be the same.
    event = clean(as_pcm16(samples).astype(np.float32) / np.float32(32768)).samples
    if not len(event):
        raise HarkenError(f"{file} is silent")
    return event


def lesson_name(folder: Path) -> str:
    """What the lesson of a folder is called: "My kettle" is my-kettle."""
    words = re.findall(r"\w+", folder.absolute().name.lower())
    return "-".join(words)[:40] or "lesson"


def _checked_text(text: str) -> str:
    told = " ".join(text.split())
    if not told:
        raise HarkenError("the reply is empty; say what to reply with --say TEXT")
    if len(told) > LONGEST_TEXT:
        raise HarkenError(
            f"the reply has {len(told)} characters, more than {LONGEST_TEXT}; say less"
        )
    return told


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise HarkenError(f"no folder {folder}; give one with recordings of the sound")
    files = [f for f in sorted(folder.rglob("*")) if f.is_file() and f.name[0] != "."]
    if not files:
        raise HarkenError(f"{folder} is empty; put recordings of the sound into it")
    return files


def _told(refused: Sequence[Refused]) -> str:
    named = "; ".join(f"{each.file}: {each.reason}" for each in refused[:3])
    more = f" and {len(refused) - 3} more" if len(refused) > 3 else ""
    return f" (not used: {named}{more})" if refused else ""


def _digest(clip: F32) -> str:
    return sha256(np.ascontiguousarray(clip, np.float32).tobytes()).hexdigest()
