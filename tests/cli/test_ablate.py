"""Whole ablations of the tiny profile: arms trained, compared, killed and gone on with, refused."""

import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from tests.soundflow import tiny_streams

from harken.cli.ablate import Equipment, Settings, compare, require
from harken.decide.listener import Audible, Judgement, Listener, State
from harken.errors import HarkenError
from harken.perceive.percept import Percept
from harken.soundflow.build import Means
from harken.soundflow.recipe import load_recipe
from harken.soundflow.rehear import Ears
from harken.stream import Prefix, Vocabulary, profile_named
from harken.stream.writer import prefix_piece
from harken.train.ablations import ABLATIONS
from harken.train.config import TrainConfig
from harken.train.examples import read_records
from harken.train.model import BaseParts
from harken.train.run import Run, run_folder

CONFIG = TrainConfig(
    profile="tiny",
    steps=4,
    positions=256,
    log_steps=1,
    dev_steps=100,
    dev_streams=0,
    checkpoint_steps=1,
    threads=1,
    nice=0,
    compute="float32",
)

CHILD = """
import os, pickle, signal, sys
from harken.cli.ablate import Equipment, compare
from harken.train.ablations import ABLATIONS
settings, parts = pickle.loads(sys.stdin.buffer.read())
def tell(line):
    if "lambda 0.5: step 3" in line:
        os.kill(os.getpid(), signal.SIGKILL)
equipment = Equipment(parts, None, lambda: "float32")
compare(ABLATIONS["lambda"].only(("0.5",)), settings, equipment, tell)
"""


class Alert:
    """A listener that says "hi" where a chunk is loud, whatever it was trained on."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary, self.profile = vocabulary, vocabulary.profile

    def start(self, prefix: Prefix) -> State:
        return State(None, len(prefix_piece(self.vocabulary, prefix)[0]))

    def hear(self, state: State, chunks: Sequence[Audible]) -> tuple[State, list[Judgement]]:
        judged = []
        for n, heard in enumerate(chunks):
            p = 0.9 if heard.percept.sound[:5].mean() > 0.5 else 0.1
            judged.append(
                Judgement(heard.percept.chunk, np.array([1 - p, p, 0], np.float32), n + 9)
            )
        return State(None, len(chunks) + 9), judged

    def decide(self, state: State, judgement: Judgement, decision: str) -> State:
        return State(None, judgement.position)

    def say(self, state: State) -> Iterator[tuple[int, State]]:
        ids = (self.profile.emotion_ids[4], *self.vocabulary.encode("hi"), self.profile.end_id)
        for i in ids:
            yield i, state

    def fork(self, state: State) -> State:
        return state


class Level:
    """An ear that tells how loud its newest 0.2 s are."""

    def __init__(self, size: int) -> None:
        self.size = size

    def hear(self, window: np.ndarray) -> np.ndarray:
        return np.full(self.size, np.abs(window[-3200:]).mean(), np.float32)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARKEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def equipment(tiny_parts: BaseParts) -> Equipment:
    listener = Alert(tiny_parts.vocabulary(profile_named("tiny")))
    return Equipment(
        tiny_parts,
        lambda path: cast(Listener, listener),
        lambda: "float32",
        composed_by(),
        Ears(Level(1545), Level(2560)),
    )


def hear(audio: np.ndarray) -> list[Percept]:
    """What tiny streams are heard as, with scores that an ear could give."""
    return [replace(p, sound=np.abs(p.sound)) for p in tiny_streams.hear(audio)]


def composed_by() -> Means:
    """Every task of the default mix as one of two tiny ones."""
    tiny = tiny_streams.MEANS
    composers = {n: tiny.composers["chat"] for n, _ in load_recipe("default").tasks}
    composers |= {"events": tiny.composers["events"], "planned": tiny.composers["events"]}
    return Means(composers, tiny.studio, hear)


def with_due(data: Path) -> Path:
    """The same streams, each reply due to a sound in its own chunk."""
    listed = [json.loads(line) for line in (data / "streams.jsonl").read_text().splitlines()]
    for row in listed:
        row["due"] = [[c * 6400, (c + 1) * 6400, "sound", "test"] for c, *_ in row["said"]]
    (data / "streams.jsonl").write_text("".join(json.dumps(row) + "\n" for row in listed))
    return data


def run_of(found: dict[str, Any], arm: str) -> Run:
    [name] = [a["run"] for a in found["arms"] if a["arm"]["name"] == arm]
    return Run(run_folder(name))


def figure(found: dict[str, Any], measure: str, arm: str, where: str = "figures") -> dict[str, Any]:
    [row] = [r for r in found[where] if (r["measure"], r["arm"]) == (measure, arm)]
    return cast(dict[str, Any], row)


def test_two_arms_are_trained_alike_and_compared_and_not_again(
    write_streams, equipment: Equipment, tmp_path: Path
) -> None:
    ablation = ABLATIONS["lambda"].only(("2",))
    settings = Settings(CONFIG, write_streams(24))
    lines: list[str] = []
    found = compare(ablation, settings, equipment, lines.append)
    assert found is not None
    one, two = run_of(found, "1"), run_of(found, "2")
    assert [r.describe()[0].control_weight for r in (one, two)] == [1.0, 2.0]
    assert one.folder.name.startswith("ablation-baseline-")
    assert two.folder.name.startswith("ablation-lambda-2-")
    saved = [r.load() for r in (one, two)]
    assert saved[0] and saved[1] and saved[0].progress.at == saved[1].progress.at
    assert [a["steps"] for a in found["arms"]] == [4, 4]

    first, second = (figure(found, "dev loss", arm) for arm in ("1", "2"))
    assert first["difference"] is None and first["figure"]["n"] == 6
    gap = second["figure"]["value"] - first["figure"]["value"]
    assert second["difference"]["value"] == pytest.approx(gap) and gap != 0
    assert any(line.startswith("| figure | arm |") and "| dev loss | 2 |" in line for line in lines)
    assert sum("lambda 2: step" in line for line in lines) == 4

    again: list[str] = []
    assert compare(ablation, settings, equipment, again.append) == found
    assert not any("step 1" in line for line in again)
    # Another budget is another run and leaves this one alone.
    longer = compare(
        ablation, replace(settings, config=replace(CONFIG, steps=5)), equipment, again.append
    )
    assert longer is not None and run_of(longer, "2").folder != two.folder


def test_a_killed_ablation_goes_on_as_if_it_had_not_been(
    write_streams, equipment: Equipment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ablation = ABLATIONS["lambda"].only(("0.5",))
    settings = Settings(CONFIG, write_streams(12))
    whole = compare(ablation, settings, equipment, lambda _: None)
    monkeypatch.setenv("HARKEN_CACHE", str(tmp_path / "other"))
    child = subprocess.run(
        [sys.executable, "-c", CHILD],
        input=pickle.dumps((settings, equipment.parts)),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert child.returncode == -signal.SIGKILL
    lines: list[str] = []
    assert compare(ablation, settings, equipment, lines.append) == whole
    assert not any("lambda 1: step" in line for line in lines)
    told = [line.split("step ")[1].split()[0] for line in lines if "lambda 0.5: step" in line]
    assert told == ["3", "4"], "what was saved last is where it goes on"


def test_a_stopped_ablation_tells_nothing_yet(write_streams, equipment: Equipment) -> None:
    def stop(line: str) -> None:
        if "lambda 2: step 2" in line:
            os.kill(os.getpid(), signal.SIGTERM)

    ablation, settings = ABLATIONS["lambda"].only(("2",)), Settings(CONFIG, write_streams(12))
    assert compare(ablation, settings, equipment, stop) is None
    assert compare(ablation, settings, equipment, lambda _: None) is not None


@pytest.mark.parametrize("name", ["silence", "ears", "names"])
def test_arms_over_given_streams(name: str, write_streams, equipment: Equipment) -> None:
    found = compare(ABLATIONS[name], Settings(CONFIG, write_streams(12)), equipment, lambda _: None)
    assert found is not None
    baseline, *changed = found["arms"]
    assert baseline["run"].startswith("ablation-baseline-")
    for arm in changed:
        own = figure(found, "dev loss", arm["arm"]["name"])
        assert own["difference"]["value"] != 0 or name == "silence"


def test_every_pace_is_trained_and_its_sessions_are_on_one_clock(equipment: Equipment) -> None:
    settings = Settings(replace(CONFIG, steps=2), streams=24, sessions=3)
    found = compare(ABLATIONS["chunk"], settings, equipment, lambda _: None)
    assert found is not None
    chunks = {}
    for arm in ("400", "200", "800"):
        config, data = run_of(found, arm).describe()
        chunks[arm] = sum(r.timeline.n_chunks for r in read_records(data).of("dev"))
    assert config.positions == 512
    assert chunks["200"] == 2 * chunks["400"] and chunks["800"] <= chunks["400"] / 2 + 12
    hours = {
        n: figure(found, "needless replies per hour", n, "sessions")["figure"]["n"]
        for n in ("400", "200", "800")
    }
    assert set(hours.values()) == {3}


@pytest.mark.parametrize("name", ["tfjp", "planning", "window"])
def test_arms_that_are_composed(name: str, equipment: Equipment, cache: Path) -> None:
    settings = Settings(replace(CONFIG, steps=2), streams=12)
    found = compare(ABLATIONS[name], settings, equipment, lambda _: None)
    assert found is not None
    composed = {p.name for p in (cache / "ablations" / "streams").iterdir()}
    dev = ABLATIONS[name].dev
    assert composed == {dev, *(a.composition for a in ABLATIONS[name].arms)}
    for arm in ABLATIONS[name].arms:
        _, data = run_of(found, arm.name).describe()
        records = read_records(data)
        [trained] = {r.features.parent.parent.name for r in records.of("train")}
        judged = {r.id for r in records.of("dev")}
        assert trained == arm.composition or arm.view != "as it is"
        assert judged == {
            r.id for r in read_records(cache / "ablations" / "streams" / dev).of("dev")
        }


def test_a_backlog_rule_is_compared_in_sessions_of_one_run(
    write_streams, equipment: Equipment
) -> None:
    settings = Settings(CONFIG, with_due(write_streams(24)), sessions=4)
    lines: list[str] = []
    found = compare(ABLATIONS["backlog"], settings, equipment, lines.append)
    assert found is not None
    assert found["arms"][0]["run"] == found["arms"][1]["run"]
    first, second = (
        figure(found, "due replies given in time", arm, "sessions")
        for arm in ("per-chunk", "drain")
    )
    assert first["figure"]["value"] > second["figure"]["value"]
    assert second["difference"]["value"] < 0 and second["figure"]["n"] == 4
    assert sum("running 4 sessions" in line for line in lines) == 2
    again: list[str] = []
    assert compare(ABLATIONS["backlog"], settings, equipment, again.append) == found
    assert not any("running" in line for line in again)


def test_what_cannot_be_answered_is_refused_at_once(
    write_streams, equipment: Equipment, tmp_path: Path
) -> None:
    with pytest.raises(HarkenError, match=r"tfjp is about how streams are composed.*leave --data"):
        require(ABLATIONS["tfjp"], tmp_path, 0)
    with pytest.raises(HarkenError, match=r"backlog differ in sessions alone; give --sessions"):
        require(ABLATIONS["backlog"], None, 0)
    settings = Settings(CONFIG, write_streams(12))
    for name, arm in (("chunk", "200"), ("window", "isolated")):
        with pytest.raises(HarkenError, match=r"12 of 12 no sound was kept .*--keep-audio"):
            compare(ABLATIONS[name].only((arm,)), settings, equipment, lambda _: None)
    assert not (tmp_path / "cache" / "runs").exists(), "before anything is trained"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["odd"], "harken: no ablation 'odd'; choose one of tfjp"),
        (["ears", "--arm", "nose"], "harken: ablation ears has no arm 'nose'"),
        (["backlog"], "harken: the arms of backlog differ in sessions alone"),
        (["ears", "--out", "/nowhere/x.json"], "harken: there is no folder /nowhere"),
        (["ears", "--data", "/nowhere"], "harken: /nowhere"),
    ],
)
def test_mistakes_are_told_in_one_line(arguments: list[str], told: str) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "harken", "ablate", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 2 and found.stderr.startswith(told), found.stderr
    assert len(found.stderr.splitlines()) == 1


def test_without_a_name_all_are_listed() -> None:
    found = subprocess.run(
        [sys.executable, "-m", "harken", "ablate"], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0
    assert [line.split()[0] for line in found.stdout.splitlines()] == list(ABLATIONS)
