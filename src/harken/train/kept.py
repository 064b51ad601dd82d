"""What a model does now, as what it is to go on doing while it learns something else.

Streams that are rehearsed say what would be right. What a model gets wrong there is none of the
lesson's business: a decision that it takes otherwise is left to be read and is not learnt, and
translations are its own. What remains are its own right answers, which anchor it, and each decision
is to stay as likely as it was (learning without forgetting: Li and Hoiem 2016).
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from harken.decide.checkpoint import Checkpoint
from harken.decide.embedding import EmbeddingTable
from harken.decide.listener import Audible, Listener, State
from harken.parts.cache import place
from harken.soundflow.features import percepts_of, stored_features
from harken.soundflow.rows import gather, write_rows
from harken.stream import Prefix
from harken.stream.profile import EMOTIONS
from harken.stream.writer import response_piece
from harken.train.batch import Collator, Kind
from harken.train.compute import DTYPES
from harken.train.examples import Document, Record, load_document, read_records
from harken.train.model import BaseParts, StreamModel, load_tensors

Row = dict[str, Any]
Told = Callable[[int, int], None]
"""Called with how many streams are done, of how many."""

UNCALIBRATED = 0.5
LONGEST_ANSWER = 60
"""Ids of a reply that the model makes itself."""
_PASS_CHUNKS = 8
_MARK = "kept.json"
_DECIMALS = 5
_Judged = tuple[Record, npt.NDArray[np.bool_], npt.NDArray[np.float32]]


def answer_itself(
    folder: Path, listener: Callable[[], Listener], told: Told = lambda *_: None
) -> None:
    """Fill in the replies whose text is empty with what the listener says there; resumable.

    A reply that it leaves empty is taken out, as if nothing had been due.
    """
    open_rows = [
        path
        for path in sorted((folder / "lines").glob("*.json"))
        if any(not text for row in _read(path) for _, text, *_ in row["said"])
    ]
    if not open_rows:
        return
    ready = listener()
    for done, path in enumerate(open_rows):
        write_rows(folder, path.stem, [_answered(folder, r, ready) for r in _read(path)])
        told(done + 1, len(open_rows))
    gather(folder)


def keep(
    folder: Path,
    checkpoint: Checkpoint,
    parts: BaseParts,
    *,
    lesson: str,
    compute: str,
    positions: int = 1024,
    told: Told = lambda *_: None,
) -> Mapping[str, int]:
    """Leave out of a folder's training streams the decisions that the checkpoint takes otherwise,
    and let the others be as likely as they are.

    lesson: the task whose streams stay as they are: these are to change it. The past that each
    decision is read with is what was due. Returns how many decisions of silence and of a response
    it took rightly and how many of each are left out; done once, the counts are kept.
    """
    mark = folder / _MARK
    if mark.exists():
        counts: dict[str, int] = json.loads(mark.read_text("utf-8"))
        return counts
    records = [r for r in read_records(folder).of("train") if r.task != lesson]
    wrong: dict[str, tuple[list[int], list[int]]] = {}
    likely: dict[str, list[list[float]]] = {}
    counts = {"silent": 0, "respond": 0, "silent left out": 0, "respond left out": 0}
    for done, (record, speaks, raw) in enumerate(
        _judged(records, checkpoint, parts, compute, positions)
    ):
        due = {s.chunk for s in record.timeline.said}
        silent: list[int] = []
        missed: list[int] = []
        for chunk in set(range(len(speaks))) - set(record.timeline.stops):
            is_due = chunk in due
            is_right = speaks[chunk] == is_due
            counts[("respond" if is_due else "silent") + ("" if is_right else " left out")] += 1
            if not is_right:
                (missed if is_due else silent).append(chunk)
        wrong[record.id] = sorted(silent), sorted(missed)
        likely[record.id] = raw.round(_DECIMALS).tolist()
        told(done + 1, len(records))
    for path in sorted((folder / "lines").glob("*.json")):
        before = _read(path)
        after = [_without(row, *wrong.get(row["id"], ([], []))) for row in before]
        after = [r | {"as_before": likely[r["id"]]} if r["id"] in likely else r for r in after]
        if after != before:
            write_rows(folder, path.stem, after)
    gather(folder)
    partial = mark.with_suffix(".partial")
    partial.write_text(json.dumps(counts), "utf-8")
    place(partial, mark)
    return counts


def _without(row: Row, silent: list[int], missed: list[int]) -> Row:
    """A row in which these silent chunks and these replies are not learnt."""
    changed = dict(row)
    for name, chunks in (("unjudged", silent), ("strays", missed)):
        if chunks:
            changed[name] = sorted({*row.get(name, ()), *chunks})
    return changed


@torch.no_grad()
def _judged(
    records: list[Record], checkpoint: Checkpoint, parts: BaseParts, compute: str, positions: int
) -> Iterator[_Judged]:
    """Every record with the chunks at which the checkpoint would speak, bool [n_chunks], and the
    probabilities of the decisions before calibration, float32 [n_chunks, decisions]."""
    profile = checkpoint.profile
    vocabulary, calibration = parts.vocabulary(profile), checkpoint.calibration
    model = StreamModel(profile, parts, seed=0, dtype=DTYPES[compute])
    load_tensors(model, checkpoint)
    collator = Collator(profile, EmbeddingTable(parts.folder))
    rows = [profile.own_row_ids.index(i) for i in profile.decision_ids]
    step: list[tuple[Record, Document]] = []

    def judge() -> Iterator[_Judged]:
        batch = collator.collate([d for _, d in step])
        states = model(batch)[batch.targets[Kind.CONTROL].at].float()
        scores = states @ model.controls.output[rows].t()
        logits, raw = scores.numpy(), scores.softmax(-1).numpy()
        at = 0
        for record, _ in step:
            chunks = slice(at, at + record.timeline.n_chunks)
            here, at = logits[chunks], chunks.stop
            threshold = calibration.thresholds.get(record.timeline.prefix.policy, UNCALIBRATED)
            needed = np.full(len(here), threshold)
            with_words = list(record.timeline.words_by_chunk())
            needed[with_words] = np.maximum(threshold, calibration.to_words)
            yield record, calibration.probabilities(here)[:, 1] >= needed, raw[chunks]

    for record in records:
        # Every decision is looked at, also those that are not learnt.
        document = load_document(replace(record, unjudged=(), strays=()), vocabulary)
        if step and sum(len(d) for _, d in step) + len(document) > positions:
            yield from judge()
            step = []
        step.append((record, document))
    if step:
        yield from judge()


def _answered(folder: Path, row: Row, listener: Listener) -> Row:
    """A row with the listener's own words where a reply has none, given all that was due before."""
    path = folder / "features" / f"{row['features']}.npz"
    percepts = percepts_of(*stored_features(path, row["id"]), row["words"])
    due = {s[0]: s for s in row["said"]}
    said: list[Any] = []
    state = listener.start(Prefix(**row["prefix"]))
    waiting: list[Audible] = []
    for chunk, percept in enumerate(percepts):
        waiting.append(Audible(percept))
        if chunk not in due and len(waiting) < _PASS_CHUNKS:
            continue
        _, found = listener.hear(state, waiting)
        waiting = []
        reply = due.get(chunk)
        answer = [reply[1], reply[2]] if reply else []
        if reply and not reply[1]:
            answer = _spoken(listener, listener.decide(state, found[-1], "respond"))
        responds = bool(answer and answer[0])
        state = listener.decide(state, found[-1], "respond" if responds else "silent")
        if responds and reply:
            said.append([chunk, *answer, reply[3]])
            ids, _ = response_piece(listener.vocabulary, *answer)
            state = replace(state, pending=(*state.pending, *ids))
    return row | {"said": said}


def _spoken(listener: Listener, state: State) -> list[str]:
    """[text, emotion] that the listener says from here; an empty text if it does not come to an
    end."""
    profile = listener.profile
    ids = []
    for i, _ in listener.say(state):
        ids.append(i)
        if len(ids) > LONGEST_ANSWER:
            return ["", "normal"]
    emotion = "normal"
    if profile.emotions:
        emotion = EMOTIONS[profile.emotion_ids.index(ids.pop(0))]
    return [listener.vocabulary.decode(ids[:-1]).strip(), emotion]


def _read(path: Path) -> list[Row]:
    read: list[Row] = json.loads(path.read_text("utf-8"))
    return read
