"""Figures of joined sessions by hand, and a joined session that the decoder really compacts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.live.conftest import random_checkpoint
from tests.soundflow.tiny_rows import folder, row

from harken.decide.onnx_listener import OnnxListener
from harken.decide.rule import OperatingPoint
from harken.evals.long_sessions import facts, kept, own_voice, segments_of
from harken.evals.streams import Case, Due, Outcome, case_of, run
from harken.live.trace import CompactionTrace
from harken.perceive.percept import HeardWord, Percept
from harken.soundflow.joined import joined
from harken.stream import Prefix
from harken.stream.profile import MINI


def percepts(n: int, words: dict[int, str]) -> tuple[Percept, ...]:
    none = np.zeros(1545, np.float16), np.zeros(2560, np.float16)
    return tuple(
        Percept(c, *none, (HeardWord(words[c], 0, ""),) if c in words else (), 0.0, 0.0)
        for c in range(n)
    )


PART = Case("a", "a", "chat", Prefix(), percepts(10, {}), (Due(4, "Yes.", "normal", "x", 3),))


def test_segments_have_their_own_clock() -> None:
    whole = Outcome(PART, ((4, "Yes.", "normal"), (14, "No.", "sad")), (), (12,))
    first, second = segments_of(whole, [PART, PART])
    assert (first.said, first.stopped) == (((4, "Yes.", "normal"),), ())
    assert (second.said, second.stopped) == (((4, "No.", "sad"),), (2,))


def test_kept_is_the_joined_score_over_the_score_alone() -> None:
    good, none = Outcome(PART, ((4, "Yes.", "normal"),), ()), Outcome(PART, (), ())
    found = kept([[good, none]], [[good, good]])
    assert found["score alone (F1)"].value == 1
    assert found["kept"].value == pytest.approx(2 / 3)
    assert found["score joined, segment 2"].value == 0
    assert kept([[good, good]], [[good, good]])["kept"].value == 1


def test_a_fact_whose_words_were_compacted_away_is_told_apart() -> None:
    due = (Due(2, "Hi.", "happy", "fact", 1), Due(152, "Ann.", "normal", "recall", 151))
    case = Case("a", "a", "remember", Prefix(), percepts(160, {2: " I am Ann."}), due)
    lost = CompactionTrace(90, 9, 4, 1, 5, "So what? I am Ann.", 0.0)
    knows = Outcome(case, ((153, "Ann.", "normal"),), ())
    forgot = Outcome(case, (), (), (), (lost,))
    late = Outcome(case, (), (), (), (replace(lost, chunk=155),))
    found = facts([knows, forgot, late, late], [knows])
    assert found["facts recalled later"].value == 0.25
    assert found["facts still in the context"].value == 0.75
    assert found["minutes between"].value == 1
    assert found["compactions a session"].value == 0.75


def test_own_voice_is_per_hour_of_it() -> None:
    case = replace(PART, playing=frozenset(range(5)))
    found = own_voice([Outcome(case, ((2, "a", "sad"), (8, "b", "sad")), (), (1,))])
    assert found["replies to its own voice per hour"].value == pytest.approx(1800)
    assert found["stops untold per hour of its own voice"].value == pytest.approx(1800)


@pytest.mark.slow
def test_a_joined_session_is_compacted(tmp_path: Path, decoder_folder: Path) -> None:
    """The real decoder with little room: a fact stays until newer words need its place."""
    few, many = row("a", 80), row("b", 80)
    few["words"] = [[2, " I am Ann."]]
    many["words"] = [[c, " a few more words of talk"] for c in range(0, 80, 2)]
    data = folder(tmp_path, [few, many])
    listener = OnnxListener(decoder_folder, random_checkpoint(replace(MINI, context=256)))
    never = OperatingPoint(respond=0.9999, stop=0.9999)
    for parts, stays in (([few, few | {"words": []}], True), ([few, many], False)):
        outcome = run(case_of(data, joined(parts, "w", "joined")), listener, never)
        assert len(outcome.p_respond) == 160
        assert outcome.compactions
        lost = " ".join(c.dropped_words for c in outcome.compactions)
        assert ("I am Ann." not in lost) == stays
