"""More from the same audio: other sounds in the place of those heard, with what is due to them.

The counterpart of `retell` for sounds. Recordings show a sixth of the classes that the sound ear
knows; here the others come up too, imagined (`imagined`) where a sound was really placed. A sound
is exchanged for one of its own kind (dangerous, of concern, plain), so silence stays silence.
What the acoustic ear heard is another sound than the one imagined: in half of the streams it is
left out, in the others it teaches which ear to ask for a name. Where people speak of the sounds,
and no other words can be put in the place of theirs, everything stays as it is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt

from harken.errors import HarkenError
from harken.perceive.sound import WINDOW_SAMPLES
from harken.soundflow.events import EVENTS, kind_counted
from harken.soundflow.features import stored_features
from harken.soundflow.imagined import Imagination, Wish, imaginable
from harken.soundflow.phrases import awaiting_order, counting_order
from harken.soundflow.retime import retimed
from harken.soundflow.rows import gather, rows, write_rows
from harken.soundflow.scene import Sound
from harken.soundflow.wording import Row, heard_for, spread, with_words, words_of
from harken.soundflow.writes import writes_below
from harken.stream import CHUNK_SAMPLES

F32 = npt.NDArray[np.float32]
Exchange = Mapping[str, str]
"""Another label for each label of a stream that is exchanged."""

KEPT_SHARE = 0.1
"""How often a label stays what it was."""
WITHOUT_ACOUSTIC_SHARE = 0.5
MOVED_SHARE = 0.5
"""How often replies are moved as well (`retime`)."""
BENCH_SHARE = 0.5
"""How often a narrated stream is also judged under the policy `bench`."""
PEAK_LOGITS = (-1.0, 3.0)
"""How surely an imagined class is heard at its best, as YAMNet's logit."""

_SPOKEN_OF = frozenset({"call_tool", "change_order", "use_what_was_heard"})
"""Tasks in which it is said what the sounds are: "count the coughs instead", "was it a dog?"."""
_LEAST_OVERLAP = 0.15
_FADE_LOGITS = 4.0
"""So far below its best a class is heard when the window holds hardly any of its sound."""
_SAMPLE_CHUNKS = 20_000


def resound(
    folder: Path,
    times: int,
    seed: int = 0,
    only: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Add every training stream with sounds `times` more with imagined ones; resumable.

    `only`: names of tasks to choose from; all when empty. Returns how many variants the folder
    holds.

    Raises:
        HarkenError: the folder holds no such stream to train on.
    """
    groups = [
        (name, [r for r in group if r["task"] in only or not only])
        for name, group in groupby(_originals(folder), key=lambda row: str(row["features"]))
    ]
    groups = [(name, group) for name, group in groups if group]
    if not groups:
        raise HarkenError(
            f"{folder} holds no stream with sounds to train on; compose some with "
            "`harken data build`"
        )
    imagination = Imagination(_sample(folder, [name for name, _ in groups], seed))
    jobs = [(name, group, n) for n in range(times) for name, group in groups]
    for done, (name, group, n) in enumerate(jobs):
        new_name = f"{name}-resound-{seed}-{n}"
        if not (folder / "lines" / f"{new_name}.json").exists():
            random = np.random.default_rng([seed, n, crc32(name.encode())])
            exchange = draw_exchange(group, random)
            _write_features(
                folder, name, new_name, group[0]["sounds"], exchange, imagination, random
            )
            asked = [*group, *_benched(group, random)]
            told = [new for row in asked if (new := resounded(row, exchange, random))]
            named = [
                row | {"id": f"{new_name}-{k}", "features": new_name, "resound": True}
                for k, row in enumerate(told)
            ]
            write_rows(folder, new_name, named)
        if progress:
            progress(done + 1, len(jobs))
    return gather(folder)


def draw_exchange(group: Sequence[Row], random: np.random.Generator) -> Exchange:
    """Labels for the sounds that the rows of one stream share, each of the same kind as before."""
    labels = sorted({label for _, _, label in group[0]["sounds"] if label in imaginable()})
    counted = {cause for row in group if row["task"] == "count" for *_, cause in row["said"]}
    exchange: dict[str, str] = {}
    for label in sorted(labels, key=lambda name: name not in counted):
        is_counted = label in counted
        taken = {*labels, *exchange.values(), *_also_counted(exchange, counted)}
        pool = [
            new
            for new in imaginable()
            if _kind(new) == _kind(label)
            and new not in taken
            and (not is_counted or _order_to_count(new, random))
        ]
        if pool and (is_counted or random.random() >= KEPT_SHARE):
            exchange[label] = pool[int(random.integers(len(pool)))]
    return exchange


def resounded(row: Row, exchange: Exchange, random: np.random.Generator) -> Row | None:
    """A row about other sounds; None when its order cannot be worded for them."""
    new = row | {
        "sounds": [[a, b, exchange.get(label, label)] for a, b, label in row["sounds"]],
        "due": [
            [a, b, waits_for, exchange.get(cause, cause) if waits_for == "sound" else cause]
            for a, b, waits_for, cause in row["due"]
        ],
        "said": [_said(said, exchange) for said in row["said"]],
    }
    if row["task"] in ("count", "tell_when"):
        ordered = _ordered(row, new, random)
        if ordered is None:
            return None
        new = ordered
    return (retimed(new, random) if random.random() < MOVED_SHARE else None) or new


def _originals(folder: Path) -> Iterator[Row]:
    for row in rows(folder):
        is_new = row["split"] == "train" and "retold" not in row and "resound" not in row
        has_sounds = any(label in imaginable() for _, _, label in row["sounds"])
        if is_new and has_sounds and row["task"] not in _SPOKEN_OF:
            yield row


def _sample(folder: Path, names: Sequence[str], seed: int) -> F32:
    """What the sound ear heard in some of the streams, float32 [n, 1545]."""
    random = np.random.default_rng(seed)
    found: list[F32] = []
    for i in random.permutation(len(names)):
        name = names[int(i)]
        sound, _ = stored_features(folder / "features" / f"{name}.npz", name)
        found.append(sound.astype(np.float32))
        if sum(map(len, found)) >= _SAMPLE_CHUNKS:
            break
    return np.concatenate(found)


def _write_features(
    folder: Path,
    name: str,
    new_name: str,
    sounds: Sequence[Sound],
    exchange: Exchange,
    imagination: Imagination,
    random: np.random.Generator,
) -> None:
    heard, acoustic = stored_features(folder / "features" / f"{name}.npz", name)
    sound = heard.astype(np.float32)
    wishes = wished(sounds, exchange, len(sound), random)
    if wishes:
        at = np.array(sorted(wishes))
        quiet = [t for t in range(len(sound)) if not _overlaps(sounds, t)]
        before = np.array([max((q for q in quiet if q < t), default=-1) for t in at])
        behind = np.where(before[:, None] >= 0, sound[before], 0)
        sound[at] = imagination.imagine(sound[at], behind, [wishes[int(t)] for t in at])
    if random.random() < WITHOUT_ACOUSTIC_SHARE:
        acoustic = np.zeros_like(acoustic)
    partial = folder / "features" / f"{new_name}.partial"
    with writes_below(folder):
        with partial.open("wb") as f:
            np.savez_compressed(f, sound=sound.astype(np.float16), acoustic=acoustic)
        partial.replace(folder / "features" / f"{new_name}.npz")


def wished(
    sounds: Sequence[Sound], exchange: Exchange, n_chunks: int, random: np.random.Generator
) -> dict[int, Wish]:
    """What the sound ear is to hear at which chunk: all occurrences of a label are one class."""
    voices = {
        label: (classes[int(random.integers(len(classes)))], float(random.uniform(*PEAK_LOGITS)))
        for label, new in exchange.items()
        if (classes := imaginable()[new])
    }
    wishes: dict[int, Wish] = {}
    nearest: dict[int, float] = {}
    for start, end, label in sounds:
        if label not in voices:
            continue
        index, peak = voices[label][0], voices[label][1] + float(random.normal(0, 0.5))
        for chunk in range(n_chunks):
            overlap = _overlap(start, end, chunk)
            if overlap >= _LEAST_OVERLAP and overlap > nearest.get(chunk, 0.0):
                nearest[chunk] = overlap
                wishes[chunk] = Wish(index, peak - _FADE_LOGITS * (1 - overlap))
    return wishes


def _overlap(start: int, end: int, chunk: int) -> float:
    """How much of a sound, or of the sound ear's window if that is shorter, lies in the window."""
    close = (chunk + 1) * CHUNK_SAMPLES
    inside = min(end, close) - max(start, close - WINDOW_SAMPLES)
    return max(0.0, inside / min(WINDOW_SAMPLES, end - start))


def _overlaps(sounds: Sequence[Sound], chunk: int) -> bool:
    return any(_overlap(start, end, chunk) > 0 for start, end, _ in sounds)


def _benched(group: Sequence[Row], random: np.random.Generator) -> Iterator[Row]:
    """Sometimes a narrated stream under the policy `bench`: it answers some of its sounds."""
    for row in group:
        if row["task"] == "narrate" and random.random() < BENCH_SHARE:
            said = [
                [chunk, *reply, cause]
                for chunk, _, _, cause in row["said"]
                if (reply := EVENTS[cause].reply("bench"))
            ]
            prefix = row["prefix"] | {"policy": "bench"}
            yield row | {"task": "bench", "prefix": prefix, "said": said}


def _kind(label: str) -> tuple[bool, bool, bool]:
    kind = EVENTS[label]
    return kind.care is not None, kind.quiet is not None, kind.bench is not None


def _also_counted(exchange: Exchange, counted: set[str]) -> set[str]:
    """Labels that share a noun with what is counted now."""
    nouns = {noun for old in counted if old in exchange for noun in EVENTS[exchange[old]].nouns}
    return {label for noun in nouns for label in kind_counted(f"Count every {noun}.")}


def _said(said: list[object], exchange: Exchange) -> list[object]:
    chunk, text, emotion, cause = said
    for old, new in exchange.items():
        if text == f"That was {EVENTS[old].name}.":
            return [chunk, f"That was {EVENTS[new].name}.", emotion, cause]
    if not isinstance(cause, str) or cause not in exchange:
        return said
    old_kind, new_kind = EVENTS[cause], EVENTS[exchange[cause]]
    for policy in ("narrate", "care", "quiet", "bench"):
        reply, new_reply = old_kind.reply(policy), new_kind.reply(policy)
        if reply and new_reply and text == reply[0]:
            return [chunk, *new_reply, exchange[cause]]
    return [chunk, text, emotion, exchange[cause]]


def _ordered(row: Row, new: Row, random: np.random.Generator) -> Row | None:
    """`new` under an order for its sounds, spoken where `row` was ordered aloud."""
    labels = {cause for *_, cause in new["said"]} & EVENTS.keys()
    aloud = [said for said in row["said"] if said[3] == "order"]
    if not labels and not aloud:
        # The order waits for what never comes; it must not come now.
        return new if _is_absent(row["prefix"]["instruction"], new) else None
    if len(labels) != 1:
        return None
    label = next(iter(labels))
    is_count = row["task"] == "count"
    text = _order_to_count(label, random) if is_count else awaiting_order(label, random)
    if not text:
        return None
    if not aloud:
        return new | {"prefix": new["prefix"] | {"instruction": text}}
    at = heard_for(row, aloud[0][0], "order")
    words = words_of(new)
    return with_words(new, words | spread(text, at, words), new["said"]) if at else None


def _is_absent(instruction: str, row: Row) -> bool:
    there = {label for _, _, label in row["sounds"] if label}
    meant = {label for label in there if EVENTS[label].name in instruction}
    return not meant and not there & set(kind_counted(instruction))


def _order_to_count(label: str, random: np.random.Generator) -> str | None:
    """An order that can mean this label alone; None where it has no noun of its own."""
    for _ in range(4 if EVENTS[label].nouns else 0):
        text = counting_order(label, random)
        if kind_counted(text) == [label]:
            return text
    return None
