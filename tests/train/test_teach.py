"""A lesson from recordings to a checkpoint, on the tiny decoder; and what is left out of it."""

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harken.decide.checkpoint import Calibration, Checkpoint
from harken.errors import HarkenError
from harken.perceive.percept import Percept
from harken.soundflow import lesson_streams, sources
from harken.soundflow.engine import local
from harken.soundflow.events import EVENTS
from harken.soundflow.lesson import CAUSE, Lesson
from harken.soundflow.lesson_streams import compose_sounds, move_replies
from harken.soundflow.rows import rows
from harken.stream import CHUNK_SAMPLES, SAMPLE_RATE, chunk_of_end, profile_named
from harken.train.batch import Collator
from harken.train.config import LEARNERS
from harken.train.evaluate import evaluate
from harken.train.examples import load_document, read_records
from harken.train.kept import keep
from harken.train.loss import StreamLoss
from harken.train.model import BaseParts, StreamModel, load_tensors
from harken.train.run import Run
from harken.train.teach import Desk, learn, lesson_config, rehearse

TINY = profile_named("tiny")
# Replies of the tiny profile cost an id a byte: only sounds that care says nothing about come.
UNHEARD = tuple(n for n in EVENTS if n not in ("beep", "clock_tick"))
SHARES = ((CAUSE, 1.0),)


def clip(seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    t = np.arange(int(0.7 * SAMPLE_RATE)) / SAMPLE_RATE
    return np.sin(2 * np.pi * random.uniform(290, 310) * t).astype(np.float32)


def spectrum_ears(audio: np.ndarray) -> list[Percept]:
    """Each chunk's spectrum in the place of what the ears would make of it."""
    chunks = np.pad(audio, (0, -len(audio) % CHUNK_SAMPLES)).reshape(-1, CHUNK_SAMPLES)
    heard = []
    for n, chunk in enumerate(chunks):
        loud = np.abs(np.fft.rfft(chunk))[: 1545 + 1] / 3200
        sound = np.minimum(1, np.maximum(loud[1:], loud[:-1])).astype(np.float16)
        heard.append(Percept(n, sound, np.resize(sound, 2560), (), 0.0, 0.0))
    return heard


@pytest.fixture
def lesson() -> Lesson:
    clips = [clip(n) for n in range(8)]
    taught, held_out = tuple(clips[:6]), tuple(clips[6:])
    return Lesson("tea", "Tea!", "happy", ("care",), taught, held_out, (), UNHEARD)


@pytest.fixture
def desk(lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The lesson composed in short scenes and heard by quick ears."""
    monkeypatch.setattr(lesson_streams, "SCENE_S", (6.0, 8.0))
    monkeypatch.setattr(sources, "has_recordings", lambda: False)
    folder = tmp_path / "lesson"
    lesson.save(folder)
    for split, count in (("train", 10), ("dev", 4)):
        compose_sounds(folder, split, count, engine=local(1), shares=SHARES, hear=spectrum_ears)
    return Desk(folder, Run(tmp_path / "run"))


@pytest.fixture
def start(tiny_parts: BaseParts) -> Checkpoint:
    model = StreamModel(TINY, tiny_parts, seed=0, dtype=torch.float32)
    arrays = {n: t.numpy().astype(np.float32) for n, t in model.checkpoint_tensors().items()}
    calibration = Calibration(1.4, -0.5, {"care": 0.3, "quiet": 0.6})
    return Checkpoint(TINY, arrays, calibration, {"step": 7})


# The tiny start has not learnt what its ears deliver: its adapters learn too.
CONFIG = replace(
    lesson_config(10, 24, "float32"), profile="tiny", positions=512, threads=1, nice=0,
    trained=LEARNERS,
    lr_lora=3e-3, lr_rows=1e-2, lr_dense=1e-3, lr_output=1e-2, log_steps=1,
)  # fmt: skip


def unused() -> Any:
    raise AssertionError("no reply of this lesson is left to the listener")


def learnt(lesson: Lesson, desk: Desk, start: Checkpoint, parts: BaseParts, **more: Any) -> Any:
    out = desk.folder.parent / "tea.safetensors"
    asked = {"config": CONFIG} | more
    return learn(lesson, desk, out, start=start, listener=unused, parts=parts, **asked)


def loss_on_held_out(folder: Path, checkpoint: Checkpoint, parts: BaseParts) -> float:
    """Loss on responses that the lesson is due in held-out streams."""
    model = StreamModel(TINY, parts, seed=0, dtype=torch.float32)
    load_tensors(model, checkpoint)
    vocabulary = parts.vocabulary(TINY)
    from harken.decide.embedding import EmbeddingTable

    collator = Collator(TINY, EmbeddingTable(parts.folder))
    documents = [
        load_document(r, vocabulary) for r in read_records(folder).of("dev") if r.task == CAUSE
    ]
    tally = evaluate(model, StreamLoss(TINY, CONFIG), [collator.collate([d]) for d in documents])
    return tally["respond", CAUSE].mean_loss + tally["text", CAUSE].mean_loss


def test_a_lesson_is_learnt_and_the_calibration_stays(
    lesson: Lesson, desk: Desk, start: Checkpoint, tiny_parts: BaseParts
) -> None:
    move_replies(desk.folder)
    told: list[str] = []
    after = learnt(
        lesson, desk, start, tiny_parts, told=lambda what, n, of: told.append(f"{what} {n}/{of}")
    )
    assert after is not None
    stored = Checkpoint.load(desk.folder.parent / "tea.safetensors", TINY)
    assert stored.calibration == start.calibration
    assert stored.facts["taught"]["say"] == "Tea!" and stored.facts["taught"]["clips"] == 6
    assert stored.facts["start"] == {"step": 7}
    before, now = (loss_on_held_out(desk.folder, c, tiny_parts) for c in (start, stored))
    assert now < 0.7 * before
    config, _ = desk.run.describe()
    assert config.task_weights.keys() == {CAUSE}


def test_a_stopped_lesson_goes_on_where_it_was(
    lesson: Lesson, desk: Desk, start: Checkpoint, tiny_parts: BaseParts
) -> None:
    def stop(entry: dict[str, Any]) -> None:
        if entry["step"] == 5:
            os.kill(os.getpid(), signal.SIGTERM)

    assert learnt(lesson, desk, start, tiny_parts, report=stop) is None
    saved = desk.run.load()
    assert saved is not None and 5 <= saved.progress.step < 24
    steps: list[int] = []
    again = learnt(lesson, desk, start, tiny_parts, report=lambda e: steps.append(e["step"]))
    assert again is not None and steps[0] == saved.progress.step + 1 and steps[-1] == 24
    assert learnt(lesson, desk, start, tiny_parts) is not None, "finished, it is written again"


def judged_alone(folder: Path, start: Checkpoint, parts: BaseParts) -> dict[str, list[bool]]:
    """For each stream, one by one: would the checkpoint speak after each chunk?"""
    from harken.decide.embedding import EmbeddingTable
    from harken.train.batch import Kind

    model = StreamModel(TINY, parts, seed=0, dtype=torch.float32)
    load_tensors(model, start)
    collator = Collator(TINY, EmbeddingTable(parts.folder))
    speaks = {}
    for record in read_records(folder).of("train"):
        batch = collator.collate([load_document(record, parts.vocabulary(TINY))])
        with torch.no_grad():
            states = model(batch)[batch.targets[Kind.CONTROL].at]
            logits = states @ model.controls.output[: len(TINY.own_rows)].t()
        at = [TINY.own_row_ids.index(i) for i in TINY.decision_ids]
        scaled = logits[:, at] / start.calibration.temperature
        scaled[:, 1] += start.calibration.respond_bias
        level = start.calibration.thresholds[record.timeline.prefix.policy]
        speaks[record.id] = (scaled.softmax(-1)[:, 1] >= level).tolist()
    return speaks


def test_only_what_the_checkpoint_does_rightly_is_rehearsed(
    desk: Desk, start: Checkpoint, tiny_parts: BaseParts
) -> None:
    alone = judged_alone(desk.folder, start, tiny_parts)
    # A threshold in the middle of what it says, so that it is right and wrong.
    before = {r["id"]: r for r in rows(desk.folder)}
    counts = keep(
        desk.folder, start, tiny_parts, lesson="another", compute="float32", positions=512
    )
    assert sum(counts.values()) == sum(
        r["n_chunks"] for r in before.values() if r["split"] == "train"
    )
    for row in rows(desk.folder):
        if row["split"] == "dev":
            assert row == before[row["id"]]
            continue
        due = {c for c, *_ in row["said"]}
        speaks = {c for c, s in enumerate(alone[row["id"]]) if s}
        assert set(row.get("unjudged", ())) == speaks - due
        assert set(row.get("strays", ())) == due - speaks
    again = {r["id"]: r for r in rows(desk.folder)}
    assert keep(desk.folder, start, tiny_parts, lesson="another", compute="float32") == counts, (
        "once"
    )
    assert again == {r["id"]: r for r in rows(desk.folder)}


def control_gradient(folder: Path, checkpoint: Checkpoint, parts: BaseParts) -> float:
    """How hard the decisions of a folder's training streams pull at a checkpoint."""
    from harken.decide.embedding import EmbeddingTable

    config = replace(CONFIG, emotion_weight=0.0)
    model = StreamModel(TINY, parts, seed=0, dtype=torch.float32)
    load_tensors(model, checkpoint)
    records = read_records(folder).of("train")
    documents = [load_document(r, parts.vocabulary(TINY)) for r in records]
    batch = Collator(TINY, EmbeddingTable(parts.folder)).collate(documents)
    loss, _ = StreamLoss(TINY, config)(model, batch, model(batch), (1.0, 0.0, 0.0))
    loss.backward()
    assert model.controls.output.grad is not None
    return float(model.controls.output.grad.norm())


def test_rehearsal_pulls_back_what_has_changed_and_nothing_else(
    desk: Desk, start: Checkpoint, tiny_parts: BaseParts
) -> None:
    as_written = control_gradient(desk.folder, start, tiny_parts)
    keep(desk.folder, start, tiny_parts, lesson="another", compute="float32")
    rest = control_gradient(desk.folder, start, tiny_parts)
    assert rest < 1e-3 * as_written, "it is what it was"
    rows_of_control = start.tensors["controls.output"]
    moved = replace(start, tensors={**start.tensors, "controls.output": 1.2 * rows_of_control})
    assert control_gradient(desk.folder, moved, tiny_parts) > 100 * rest


@pytest.mark.parametrize("threshold", [1e-9, 1 - 1e-6])
def test_one_who_always_or_never_speaks_is_right_half_the_time(
    desk: Desk, start: Checkpoint, tiny_parts: BaseParts, threshold: float
) -> None:
    extreme = replace(
        start, calibration=Calibration(thresholds=dict.fromkeys(("care", "quiet"), threshold))
    )
    counts = keep(desk.folder, extreme, tiny_parts, lesson="another", compute="float32")
    speaks = threshold < 0.5
    assert bool(counts["respond"]) == bool(counts["silent left out"]) == speaks
    assert bool(counts["silent"]) == bool(counts["respond left out"]) == (not speaks)


def test_the_lesson_itself_is_learnt_whole(
    desk: Desk, start: Checkpoint, tiny_parts: BaseParts
) -> None:
    before = [r for r in rows(desk.folder) if r["task"] == CAUSE]
    keep(desk.folder, start, tiny_parts, lesson=CAUSE, compute="float32")
    assert [r for r in rows(desk.folder) if r["task"] == CAUSE] == before


def test_a_data_folder_is_rehearsed_where_it_lies(desk: Desk, tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "features").mkdir(parents=True)
    sound = np.zeros((4, 1545), np.float16)
    np.savez(data / "features" / "s.npz", sound=sound, acoustic=np.zeros((4, 2560), np.float16))
    row = {
        "id": "s", "features": "s", "task": "chat", "split": "train", "n_chunks": 4,
        "prefix": {"policy": "care", "instruction": ""}, "words": [], "said": [], "sounds": [],
        "due": [], "playing": [], "stops": [],
    }  # fmt: skip
    listed = [row, row | {"id": "d", "split": "dev"}]
    (data / "streams.jsonl").write_text("".join(json.dumps(r) + "\n" for r in listed))
    assert rehearse(desk.folder, data) == 1
    (record,) = (r for r in read_records(desk.folder).of("train") if r.task == "chat")
    assert record.id == "rehearsed-s" and record.features == data / "features" / "s.npz"
    (data / "streams.jsonl").write_text(json.dumps(listed[1]) + "\n")
    with pytest.raises(HarkenError, match="no stream of the split train"):
        rehearse(desk.folder, data)


def test_a_lesson_has_its_own_place_for_each_beginning(lesson: Lesson, tmp_path: Path) -> None:
    one, other = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    one.write_bytes(b"a")
    other.write_bytes(b"b")
    places = {
        Desk.of(lesson, one).folder,
        Desk.of(lesson, other).folder,
        Desk.of(lesson, one, tmp_path).folder,
        Desk.of(replace(lesson, text="Coffee!"), one).folder,
    }
    assert len(places) == 4
    assert Desk.of(lesson, one).run.folder == Desk.of(replace(lesson), one).run.folder


def test_the_stream_that_the_guide_shows_can_be_learnt_from(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "train-your-own.md").read_text("utf-8")
    shown = json.loads(guide.split("```json")[1].split("```")[0])
    (tmp_path / "streams.jsonl").write_text(json.dumps(shown) + "\n")
    (record,) = read_records(tmp_path).of("train")
    (said,) = record.timeline.said
    ((_, end, _, cause),) = shown["due"]
    assert said.chunk == chunk_of_end(end) and said.cause == cause


@pytest.mark.slow
def test_translations_are_the_listeners_own(tmp_path: Path) -> None:
    from harken.decide.model import load_listener
    from harken.soundflow.lesson_talk import TRANSLATION
    from harken.soundflow.rows import gather, write_rows
    from harken.train.kept import answer_itself

    for kind in ("lines", "features"):
        (tmp_path / kind).mkdir()
    quiet = {
        "sound": np.zeros((14, 1545), np.float16),
        "acoustic": np.zeros((14, 2560), np.float16),
    }
    np.savez(tmp_path / "features" / "s.npz", **quiet)
    row = {
        "id": "s", "features": "s", "task": "translate", "split": "train", "n_chunks": 14,
        "prefix": {"policy": "care", "instruction": "Translate into Chinese."},
        "words": [[3, " Good"], [4, " morning,"], [5, " my"], [6, " friend."]],
        "said": [[6, "", "normal", TRANSLATION]], "sounds": [], "playing": [], "stops": [],
        "due": [[19_200, 44_800, "words", TRANSLATION]],
    }  # fmt: skip
    write_rows(tmp_path, "train-s", [row])
    gather(tmp_path)
    answer_itself(tmp_path, load_listener)
    (answered,) = rows(tmp_path)
    ((chunk, text, _, cause),) = answered["said"]
    assert (chunk, cause) == (6, TRANSLATION) and text
    answer_itself(tmp_path, unused)


@pytest.mark.slow
def test_the_shipped_model_is_taught_by_the_real_ears(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harken.decide.model import load_listener, shipped_checkpoint
    from harken.evals.streams import cases
    from harken.evals.taught import chosen, report, sessions
    from harken.stream.profile import MINI
    from harken.train.teach import Plan, compose_lesson

    monkeypatch.setattr(lesson_streams, "SCENE_S", (6.0, 8.0))
    monkeypatch.setattr(sources, "has_recordings", lambda: False)
    desk = Desk(tmp_path / "lesson", Run(tmp_path / "run"))
    # So many that some are background, which the talk is put over.
    plan = Plan(30, 24, {"chat": 1, "translate": 1, "transcribe": 1}, {"others_talking": 1})
    told: set[str] = set()
    compose_lesson(
        lesson, desk.folder, plan, engine=local(2), told=lambda what, n, of: told.add(what)
    )
    assert "imagining other sounds" in told
    by_split = {(r["split"], r["task"]) for r in rows(desk.folder)}
    assert {("train", CAUSE), ("dev", CAUSE), ("train", "chat")} <= by_split
    sounds = {label for r in rows(desk.folder) for *_, label in r["sounds"]}
    assert not sounds & set(UNHEARD)

    out = tmp_path / "tea.safetensors"
    start = Checkpoint.load(shipped_checkpoint(), MINI)
    config = replace(lesson_config(10, 2, "float32"), positions=512, dev_streams=2)
    after = learn(
        lesson, desk, out, start=start, listener=load_listener, config=config,
        parts=BaseParts.shipped(),
    )  # fmt: skip
    assert after is not None and after.calibration == start.calibration
    assert out.stat().st_size < 40_000_000
    held_out = chosen(cases(desk.folder, "dev"), 1, 1)
    before, now = (sessions(held_out, load_listener(m)) for m in (shipped_checkpoint(), out))
    assert len(report(before, now, lesson.text)) == 5
