"""The 28 sub-tasks: the table, the page that tells of them, and which one a row is of."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.soundflow.needs import needs_corpora

from harken.perceive.percept import HeardWord, Percept
from harken.soundflow.build import Job, _row, place
from harken.soundflow.recipe import load_recipe
from harken.soundflow.scene import Scene, Variant
from harken.soundflow.studio import Studio
from harken.soundflow.subtasks import CAPABILITIES, SUBTASKS, subtask_of
from harken.soundflow.tasks import COMPOSERS
from harken.stream import CHUNK_SAMPLES, chunk_of_end

PAGE = Path(__file__).parents[2] / "docs" / "tasks.md"


def row(task: str, *said: tuple[str, str], **other: Any) -> dict[str, Any]:
    """A row whose replies have these texts and causes."""
    policy = task if task in ("narrate", "quiet", "bench") else "care"
    return {
        "id": "train-1-00000-0",
        "task": task,
        "prefix": {"policy": policy, "instruction": ""},
        "words": [],
        "said": [[2 * n, text, "normal", cause] for n, (text, cause) in enumerate(said)],
        "sounds": [],
        "playing": [],
        "stops": [],
    } | other


OWL, DOOR = [9000, 20000, "owl"], [40000, 52000, "doorbell"]
SPEECH = [[3, " Good night,"], [4, " darling."]]
OKAY = ("Okay.", "order")
VIENNA = ("Vienna.", "question")

CASES = [
    ("name_sounds", row("narrate", ("I hear an owl.", "owl"), sounds=[OWL])),
    ("name_sounds", row("narrate", ("I hear an owl.", "owl"), sounds=[OWL], resound=False)),
    ("name_imagined_sounds", row("narrate", ("I hear a mouse.", "mouse"), resound=True)),
    ("answer_amid_sounds", row("narrate", ("I hear an owl.", "owl"), VIENNA, resound=True)),
    ("what_was_that", row("what_was_that", ("That was an owl.", "recall"), sounds=[OWL])),
    ("what_was_that", row("what_was_that", ("That was a tap.", "recall"), resound=True)),
    ("caption_speech", row("transcribe", OKAY, ("The event ends", "transcript"))),
    ("caption_chinese", row("transcribe", OKAY, ("时间有限", "transcript"))),
    ("caption_until_told", row("transcribe", ("Go.", "transcript"), ("Okay.", "stop"))),
    ("caption_until_told", row("transcribe", ("时间有限", "transcript"), ("Okay.", "stop"))),
    (None, row("transcribe", OKAY, ("Okay.", "stop"))),
    ("interpret_into_chinese", row("translate", OKAY, ("战士很英勇。", "translation"))),
    ("interpret_into_english", row("translate", ("It is odd.", "translation"), ("好", "stop"))),
    (None, row("translate", OKAY)),
    ("answer_question", row("chat", VIENNA, words=SPEECH)),
    ("answer_question", row("chat", ("日本的首都是东京。", "question"))),
    ("answer_amid_sounds", row("chat", VIENNA, words=SPEECH, sounds=[OWL])),
    ("ignore_talk", row("chat", words=SPEECH)),
    ("stay_silent", row("chat", words=SPEECH, sounds=[OWL])),
    ("recall_fact", row("remember", ("Hello Lucy.", "fact"), ("Lucy.", "recall"))),
    ("stop_speaking", row("interrupted", VIENNA, playing=[10, 11], stops=[11])),
    ("keep_speaking", row("interrupted", VIENNA, playing=[10, 11])),
    ("warn_of_danger", row("care", ("Ill?", "cough"), ("Fire!", "smoke_alarm"))),
    ("warn_of_danger", row("bench", ("Fire!", "smoke_alarm"))),
    ("offer_help", row("care", ("Someone is at the door.", "doorbell"), sounds=[OWL, DOOR])),
    ("offer_help", row("bench", ("Your phone is ringing.", "phone_ring"))),
    ("answer_amid_sounds", row("care", ("Fire!", "smoke_alarm"), VIENNA)),
    ("stay_silent", row("care", sounds=[OWL])),
    ("stay_silent", row("bench", sounds=[OWL], words=SPEECH)),
    ("ignore_talk", row("care", words=SPEECH)),
    ("danger_only", row("quiet", ("Fire!", "smoke_alarm"))),
    ("danger_only", row("quiet", sounds=[DOOR])),
    ("answer_amid_sounds", row("quiet", VIENNA, sounds=[DOOR])),
    ("stay_silent", row("background")),
    ("stay_silent", row("background", prefix={"policy": "quiet", "instruction": ""})),
    ("ignore_talk", row("others_talking", words=SPEECH)),
    (
        "ignore_talk",
        row("others_talking", prefix={"policy": "care", "instruction": "Count the barks."}),
    ),
    ("count_sounds", row("count", OKAY, ("One.", "owl"))),
    ("count_sounds", row("count", prefix={"policy": "care", "instruction": "Count the hoots."})),
    ("await_sound", row("tell_when", OKAY)),
    ("narrate_on_order", row("narrate_order", ("I hear an owl.", "owl"), ("Okay.", "stop"))),
    ("change_order", row("change_order", OKAY, ("One.", "owl"), ("Okay.", "stop"))),
    ("say_once", row("say_once", ("Fire!", "smoke_alarm"), sounds=[DOOR, DOOR])),
    ("switch_direction", row("switch_direction", OKAY, ("他唱歌。", "translation"), OKAY)),
    ("follow_up", row("follow_up", VIENNA, ("Rome.", "follow_up"))),
    ("use_what_was_heard", row("use_what_was_heard", ("Twice.", "heard"), sounds=[OWL, OWL])),
    ("call_tool", row("call_tool", ('{"tool": "lock", "arguments": {}}', "tool"))),
    ("describe_music", row("describe_music", ("A piano.", "music"))),
    (None, row("juggle", ("Hop.", "owl"))),
]


@pytest.mark.parametrize(("name", "made"), CASES)
def test_a_row_is_of_the_subtask_it_was_made_for(name: str | None, made: dict[str, Any]) -> None:
    assert subtask_of(made) == name


def test_every_subtask_can_be_told_and_no_other() -> None:
    told = {name for name, _ in CASES if name}
    assert told == {s.name for s in SUBTASKS}


def test_there_are_28_under_seven_capabilities() -> None:
    assert len({s.name for s in SUBTASKS}) == len(SUBTASKS) == 28
    assert len(CAPABILITIES) == 7
    counts = Counter(s.capability for s in SUBTASKS)
    assert counts.keys() == set(CAPABILITIES) and min(counts.values()) >= 3


def test_composers_exist_and_each_makes_something() -> None:
    named = {name for s in SUBTASKS for name in s.composers}
    assert named - {"planned"} <= COMPOSERS.keys() <= named | {"planned"}
    assert all(s.composers for s in SUBTASKS)


def test_the_page_tells_of_exactly_these_with_an_example_each() -> None:
    found: dict[str, str] = {}
    sections: dict[str, str] = {}
    for part in re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        capability, _, rest = part.partition("\n")
        for section in re.split(r"^### ", rest, flags=re.MULTILINE)[1:]:
            name, _, text = section.partition("\n")
            assert name not in found, name
            found[name], sections[name] = capability, " ".join(text.split())
    assert list(found.items()) == [(s.name, s.capability) for s in SUBTASKS]
    for subtask in SUBTASKS:
        text = sections[subtask.name]
        assert "```" in text, f"an example of {subtask.name}"
        assert all(f"`{name}`" in text for name in subtask.composers)


V1 = load_recipe("v1")
DRAWS = 60


@needs_corpora
def test_every_subtask_comes_out_of_the_recipe_v1() -> None:
    wanted = {s.name for s in SUBTASKS} - {"name_imagined_sounds"}
    studio = Studio("train")
    if not studio.has("follow_up", "en"):
        pytest.skip("the lines are not synthesised: `harken data speak`")
    found: set[str | None] = set()
    for subtask in (s for s in SUBTASKS if s.name in wanted):
        tasks = [task for task, share in V1.tasks if share and task in subtask.composers]
        draws = (one for n in range(DRAWS) for task in tasks for one in rows_of(studio, task, n))
        while subtask.name not in found:
            made = next(draws, None)
            assert made is not None, f"{subtask.name} in {DRAWS} streams of {tasks}"
            found.add(subtask_of(made))
    assert found - {None} <= wanted
    # The last one is made of narrated streams of events.
    assert dict(V1.tasks)["events"] > 0
    imagined = row("narrate", ("I hear a mouse.", "mouse"), resound=True)
    assert subtask_of(imagined) == "name_imagined_sounds"


def rows_of(studio: Studio, task: str, n: int) -> Iterator[dict[str, Any]]:
    """The rows of a stream whose words are heard without a mistake, at no cost."""
    composer, _ = COMPOSERS[task]
    try:
        scene, variants = composer(studio, np.random.default_rng([n, 6]))
    except LookupError:
        return
    percepts = heard_well(scene, variants)
    for variant in variants:
        stop = place((variant.stop,), percepts) if variant.stop else []
        job = Job(Path(), "train", 6, n, False, ())
        said = place(variant.due, percepts)
        yield _row(job, 0, scene, variant, percepts, said, [chunk for chunk, *_ in stop])


def heard_well(scene: Scene, variants: list[Variant]) -> list[Percept]:
    blank = np.zeros(1, np.float16), np.zeros(1, np.float16)
    words = {}
    for due in (d for v in variants for d in (*v.due, *((v.stop,) if v.stop else ()))):
        if due.waits_for != "sound":
            text = due.spoken or due.text
            words[chunk_of_end(due.end)] = (HeardWord(f" {text}", due.end, "en"),)
    chunks = range(-(-scene.samples // CHUNK_SAMPLES))
    return [Percept(c, *blank, words.get(c, ()), -60.0, 0.0) for c in chunks]
