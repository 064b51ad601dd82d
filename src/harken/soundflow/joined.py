"""Several composed streams of one split as one longer stream, of rows and stored features alone.

What may be joined, so that what is due in a part stays due in the whole:

- All parts have the same policy and no order in text: either would hold for all of them.
- A spoken order that still stands at the end of a part would go on in the next one, so such a
  part comes last or not at all.
- An audio comes once, whichever of its variants it is.

The ears heard each part alone: what they carried over a seam is not in the features.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from harken.errors import HarkenError
from harken.soundflow.features import F16, require_chunks, stored_features
from harken.soundflow.rows import rows
from harken.stream import CHUNK_SAMPLES, SAMPLE_RATE, Prefix

Row = dict[str, Any]

CHUNKS_PER_MINUTE = 60 * SAMPLE_RATE // CHUNK_SAMPLES
CHUNK_LISTS = ("playing", "stops", "strays", "unjudged")
"""Keys of a row that list chunks; the last two may be missing."""
QUESTION_LEAD_CHUNKS = 1
"""A question is cut off so long before the chunk in which it begins: within the pause before it."""


def is_default(row: Row) -> bool:
    """Whether a row has the prefix of a session that nobody has set up."""
    return bool(Prefix(**row["prefix"]) == Prefix())


def leaves_order(row: Row) -> bool:
    """Whether an order was given aloud in a row and stands at its end."""
    given = [cause for *_, cause in row["said"] if cause in ("order", "stop")]
    return given[-1:] == ["order"]


def about_facts(row: Row) -> bool:
    """Whether a fact is told in a row or asked for."""
    return any(cause in ("fact", "recall") for *_, cause in row["said"])


def recalls(row: Row) -> bool:
    """Whether a fact is told in a row and asked for."""
    return {"fact", "recall"} <= {cause for *_, cause in row["said"]}


def split_at_recall(row: Row) -> tuple[Row, Row]:
    """A row that `recalls`, cut before its question: the fact told, the fact asked for."""
    asked = next(start for start, *_, cause in row["due"] if cause == "recall")
    cut = asked // CHUNK_SAMPLES - QUESTION_LEAD_CHUNKS
    return cropped(row, 0, cut), cropped(row, cut, row["n_chunks"])


def cropped(row: Row, first: int, end: int) -> Row:
    """Chunks `first` to `end` (exclusive) of a row, as a row; `crop` tells which features it has.

    What is due outside is left out; a cause that began before goes with its reply.
    """
    shift = first * CHUNK_SAMPLES
    said = [[c - first, *rest] for c, *rest in row["said"] if first <= c < end]
    causes = {cause for *_, cause in said}
    before = row.get("crop", [0, row["n_chunks"]])[0]
    return {
        **row,
        "n_chunks": end - first,
        "words": [[c - first, text] for c, text in row["words"] if first <= c < end],
        "said": said,
        "sounds": [
            [max(0, a - shift), b - shift, label]
            for a, b, label in row["sounds"]
            if shift < b and a < end * CHUNK_SAMPLES
        ],
        "due": [
            [max(0, a - shift), b - shift, *rest]
            for a, b, *rest in row["due"]
            if rest[-1] in causes and b > shift
        ],
        **{
            key: [c - first for c in row[key] if first <= c < end]
            for key in CHUNK_LISTS
            if key in row
        },
        "crop": [before + first, before + end],
    }


def joined(parts: Sequence[Row], id: str, task: str) -> Row:
    """The row of parts one after the other; `parts` of it are the parts themselves.

    Raises:
        HarkenError: a part has another prefix or split, or leaves an order to the next one.
    """
    if not parts:
        raise HarkenError("nothing to join; give at least one stream")
    for part in parts:
        if part["prefix"] != parts[0]["prefix"] or part["prefix"]["instruction"]:
            raise HarkenError(
                f"{part['id']} has the prefix {part['prefix']}; only streams of one policy "
                "without an instruction can be joined"
            )
    splits = sorted({str(part["split"]) for part in parts})
    if len(splits) > 1:
        raise HarkenError(f"streams of {' and '.join(splits)} cannot be joined; choose one split")
    if open_orders := [part["id"] for part in parts[:-1] if leaves_order(part)]:
        raise HarkenError(
            f"{open_orders[0]} ends under an order, which the stream after it would fall under; "
            "put it last"
        )
    whole: Row = {
        "id": id,
        "features": id,
        "task": task,
        "split": splits[0],
        "prefix": parts[0]["prefix"],
        "n_chunks": 0,
        "words": [],
        "said": [],
        "sounds": [],
        "due": [],
        **{key: [] for key in CHUNK_LISTS},
        "parts": list(parts),
    }
    for part in parts:
        at = whole["n_chunks"]
        shift = at * CHUNK_SAMPLES
        whole["words"] += [[c + at, text] for c, text in part["words"]]
        whole["said"] += [[c + at, *rest] for c, *rest in part["said"]]
        for key in ("sounds", "due"):
            whole[key] += [[a + shift, b + shift, *rest] for a, b, *rest in part[key]]
        for key in CHUNK_LISTS:
            whole[key] += [c + at for c in part.get(key, ())]
        whole["n_chunks"] += part["n_chunks"]
    return whole


def features_of(data: Path, row: Row) -> tuple[F16, F16]:
    """Sound [chunks, 1545] and acoustic [chunks, 2560] of a row, joined, cropped or neither.

    Raises:
        HarkenError: they are missing or broken, or not as many as the row has chunks.
    """
    if "parts" in row:
        sounds, acoustics = zip(*(features_of(data, part) for part in row["parts"]), strict=True)
        return np.concatenate(sounds), np.concatenate(acoustics)
    path = data / "features" / f"{row['features']}.npz"
    sound, acoustic = stored_features(path, row["id"])
    first, end = row.get("crop", [0, len(sound)])
    sound, acoustic = sound[first:end], acoustic[first:end]
    require_chunks(row["n_chunks"], sound, acoustic, row["id"])
    return sound, acoustic


def joinable(data: Path, split: str) -> list[Row]:
    """The rows that may be part of a joined stream, one of each audio: the one with most due.

    Raises:
        HarkenError: there is none.
    """
    best: dict[str, Row] = {}
    for row in rows(data):
        if row["split"] != split or not is_default(row):
            continue
        kept = best.get(row["features"])
        if kept is None or len(row["said"]) > len(kept["said"]):
            best[row["features"]] = row
    if not best:
        raise HarkenError(
            f"{data} has no stream of split {split} with the default policy and no instruction; "
            "compose some with `harken data build`"
        )
    return list(best.values())


def in_groups(data: Path, split: str, segments: int, seed: int = 0) -> list[Row]:
    """Joined streams of `segments` parts each, every part in one of them, by lot.

    Parts that leave an order come last. What does not fill a whole stream is left out.

    Raises:
        HarkenError: there are too few streams for one.
    """
    found = joinable(data, split)
    order = np.random.default_rng([seed, segments]).permutation(len(found))
    drawn = [found[n] for n in order]
    last = [row for row in drawn if leaves_order(row)]
    inner = [row for row in drawn if not leaves_order(row)]
    groups: list[Row] = []
    while True:
        # As many with a standing order as there are streams: an order in each while they last.
        end = last if last else inner
        if len(inner) < segments - (end is last):
            break
        parts = [inner.pop() for _ in range(segments - (end is last))]
        if end is last:
            parts.append(last.pop())
        groups.append(joined(parts, f"{split}-joined-{segments}-{seed}-{len(groups)}", "joined"))
    if not groups:
        raise HarkenError(
            f"{data} has {len(found)} streams of split {split} that can be joined, too few for "
            f"{segments} segments; compose more with `harken data build`, or lower --segments"
        )
    return groups


def facts(data: Path, split: str, minutes: float, seed: int = 0) -> list[Row]:
    """Of every stream in which a fact is told and asked for: told, at least `minutes` of other
    streams, then asked. The other streams tell no facts and leave no orders.

    Raises:
        HarkenError: no fact is asked for, or there is too little else to fill the time.
    """
    found = joinable(data, split)
    memories = [row for row in found if recalls(row)]
    if not memories:
        raise HarkenError(
            f"{data} has no stream of split {split} in which a fact is told and asked for; "
            f"compose some with `harken data build default {data} --split {split} --only remember`"
        )
    others = [row for row in found if not (leaves_order(row) or about_facts(row))]
    needed = round(minutes * CHUNKS_PER_MINUTE)
    there = sum(row["n_chunks"] for row in others)
    if there < needed:
        raise HarkenError(
            f"{data} has {there / CHUNKS_PER_MINUTE:.1f} minutes of other streams of split "
            f"{split}, too few for {minutes:g}; compose more with `harken data build`, or lower "
            "--minutes"
        )
    whole = []
    for n, memory in enumerate(memories):
        between: list[Row] = []
        for k in np.random.default_rng([seed, n]).permutation(len(others)):
            if sum(row["n_chunks"] for row in between) >= needed:
                break
            between.append(others[k])
        told, question = split_at_recall(memory)
        whole.append(joined([told, *between, question], f"{memory['id']}-later", "remember"))
    return whole


def own_voice(data: Path, split: str, minutes: float) -> list[Row]:
    """The parts of streams in which our own voice is audible and is not told to stop, joined to
    streams of at least `minutes`, as far as they go.

    Raises:
        HarkenError: there is none.
    """
    spans = [
        cropped(row, min(row["playing"]), max(row["playing"]) + 1) | {"said": [], "due": []}
        for row in joinable(data, split)
        if row["playing"] and not row["stops"]
    ]
    if not spans:
        raise HarkenError(
            f"{data} has no stream of split {split} in which our own voice goes on; compose some "
            f"with `harken data build default {data} --split {split} --only interrupted`"
        )
    whole: list[Row] = []
    waiting: list[Row] = []
    for span in spans:
        waiting.append(span)
        if sum(s["n_chunks"] for s in waiting) >= minutes * CHUNKS_PER_MINUTE:
            whole.append(joined(waiting, f"{split}-own-voice-{len(whole)}", "own_voice"))
            waiting = []
    if waiting:
        whole.append(joined(waiting, f"{split}-own-voice-{len(whole)}", "own_voice"))
    return whole
