"""Sessions judged one after the other: nothing judged is lost, nothing is judged twice."""

import os
from pathlib import Path

import pytest
from tests.soundflow.tiny_rows import folder, row

from harken.errors import HarkenError
from harken.evals.judging import Kept, Progress, fingerprint, judged
from harken.evals.streams import Case, Outcome, case_of
from harken.live.trace import CompactionTrace

ROWS = [row(name, chunks) for name, chunks in (("a", 5), ("b", 10), ("c", 5))]
ABOUT = {"checkpoint": {"step": 1}, "streams": fingerprint(ROWS)}


def session(case: Case) -> Outcome:
    """Differs from case to case and has something in every field."""
    at = len(case.percepts) - 1
    lost = CompactionTrace(at, 9, 4, 1, 5, "Grüße,\u2028你好", 0.25)
    return Outcome(case, ((at, f"I am {case.id}.", "sad"),), (0.1, 1 / 3), (at,), (lost,))


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    data, path = folder(tmp_path, ROWS), tmp_path / "out.json.partial"

    def killed(case: Case) -> Outcome:
        if case.audio == "c":
            raise KeyboardInterrupt
        return session(case)

    with pytest.raises(KeyboardInterrupt), Kept(path, ABOUT) as kept:
        list(judged(data, ROWS, killed, kept))
    with path.open("ab") as file:
        file.write(b'{"said": [[4, "cut sho')

    run = []

    def counted(case: Case) -> Outcome:
        run.append(case.audio)
        return session(case)

    shown: list[Progress] = []
    with Kept(path, ABOUT) as kept:
        outcomes = list(judged(data, ROWS, counted, kept, shown.append))
    assert run == ["c"]
    assert [(at.done, at.share, at.new_chunks) for at in shown] == [
        (1, 0.25, 0),
        (2, 0.75, 0),
        (3, 1.0, 5),
    ]
    expected = list(judged(data, ROWS, session))
    assert [(o.said, o.p_respond, o.stopped, o.compactions) for o in outcomes] == [
        (o.said, o.p_respond, o.stopped, o.compactions) for o in expected
    ]
    assert not path.exists()


def test_sessions_of_another_run_are_refused_and_stay(tmp_path: Path) -> None:
    data, path = folder(tmp_path, ROWS), tmp_path / "out.json.partial"
    with pytest.raises(ZeroDivisionError), Kept(path, ABOUT) as kept:
        next(judged(data, ROWS, session, kept))
        raise ZeroDivisionError
    before = path.read_bytes()
    other = ABOUT | {"streams": fingerprint(ROWS[:2])}
    with pytest.raises(HarkenError, match=r"holds 1 sessions of another.*; delete it"):
        Kept(path, other)
    assert path.read_bytes() == before


def test_progress_tells_the_speed_of_this_run_and_the_time_left() -> None:
    # 100 of 400 chunks are there; this run has heard 50 of them, 20 s, in 10 s.
    assert Progress(2, 8, 100, 400, 50, 10.0).said() == (
        "2/8 sessions, 2.0 times real time, 0:01:00 left"
    )
    assert Progress(2, 8, 100, 400, 0, 10.0).said() == "2/8 sessions"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_told_and_what_was_judged_stays(tmp_path: Path) -> None:
    path = tmp_path / "out.json.partial"
    told = pytest.raises(HarkenError, match=r"No space left on device.*goes on behind the last")
    with told, Kept(path, ABOUT) as kept:
        kept.add(session(case_of(folder(tmp_path, ROWS), ROWS[0])))
        with Path("/dev/full").open("wb") as full:
            os.dup2(full.fileno(), kept._file.fileno())
        kept.add(session(case_of(tmp_path, ROWS[1])))
    with Kept(path, ABOUT) as kept:
        assert kept.found(0, case_of(tmp_path, ROWS[0])) is not None
        assert kept.found(1, case_of(tmp_path, ROWS[1])) is None


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HarkenError, match="Not a directory"):
        Kept(tmp_path / "file" / "out.json.partial", ABOUT)
