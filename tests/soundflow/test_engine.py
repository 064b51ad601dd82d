"""Engines give the same results; they draw work as it is taken and leave nobody behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from harken.errors import HarkenError
from harken.soundflow.engine import AHEAD, engine_of, local

PROGRAM = Path(__file__).with_name("tiny_streams.py")


def squared(index: int) -> int:
    return index * index


def failing(index: int) -> int:
    if index == 3:
        raise HarkenError(f"stream {index} cannot be written")
    return index


def dying(index: int) -> int:
    os._exit(9)


def noted(folder: Path, index: int) -> int:
    (folder / str(index)).touch()
    return index


@pytest.mark.parametrize("workers", [1, 3])
def test_every_index_is_worked_on_once(workers: int) -> None:
    assert sorted(local(workers)(squared, range(20))) == [(n, n * n) for n in range(20)]


def test_nothing_to_do_is_no_error() -> None:
    assert list(local(1)(squared, [])) == []


def test_work_is_drawn_only_as_it_can_be_taken() -> None:
    drawn = 0

    def indices() -> Iterator[int]:
        nonlocal drawn
        for index in range(1000):
            drawn += 1
            yield index

    results = local(2)(squared, indices())
    next(results)
    assert drawn == 2 * AHEAD
    results.close()
    assert drawn == 2 * AHEAD


def test_what_has_not_begun_is_dropped_when_enough_is_made(tmp_path: Path) -> None:
    results = local(1)(partial(noted, tmp_path), range(1000))
    next(results)
    results.close()
    assert len(list(tmp_path.iterdir())) < 10


def test_an_error_in_a_job_reaches_the_caller() -> None:
    with pytest.raises(HarkenError, match="stream 3 cannot be written"):
        list(local(2)(failing, range(10)))


def test_a_worker_that_was_killed_is_told() -> None:
    with pytest.raises(HarkenError, match="fewer workers"):
        list(local(1)(dying, range(3)))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no groups of processes")
def test_ctrl_c_ends_what_has_begun_and_all_that_waits(tmp_path: Path) -> None:
    program = tmp_path / "waiting.py"
    program.write_text(
        "import signal, threading\n"
        "from harken.soundflow.engine import local\n"
        "def job(index):\n"
        "    print(index, flush=True)\n"
        "    threading.Event().wait()\n"
        "if __name__ == '__main__':\n"
        "    signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "    try:\n"
        "        list(local(1)(job, range(9)))\n"
        "    except KeyboardInterrupt:\n"
        "        print('interrupted')\n",
        "utf-8",
    )
    running = subprocess.Popen(
        [sys.executable, program], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert running.stdout is not None and running.stdout.readline() == "0\n"
        os.killpg(running.pid, signal.SIGINT)  # as a terminal does
        assert running.communicate(timeout=120)[0] == "interrupted\n"
    finally:
        running.kill()


def test_an_unknown_engine_and_no_workers_are_told() -> None:
    with pytest.raises(HarkenError, match="no engine 'steam'; choose from local, ray"):
        engine_of("steam", 1)
    with pytest.raises(HarkenError, match="workers is 0"):
        engine_of("local", 0)


def test_ray_is_named_where_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(HarkenError, match=r"pip install 'harken\[ray\]'"):
        list(engine_of("ray", 1)(squared, range(2)))


@pytest.mark.slow
def test_ray_and_local_fill_a_folder_with_the_same_bytes(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    from tests.soundflow.tiny_streams import tree

    folders = {name: tmp_path / name for name in ("local", "ray")}
    for name, folder in folders.items():
        done = subprocess.run(
            [sys.executable, PROGRAM, folder, name, "2", "30"],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
    assert len(tree(folders["local"])) > 15
    assert tree(folders["local"]) == tree(folders["ray"])


@pytest.mark.slow
def test_ray_raises_what_the_job_raised(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    program = tmp_path / "failing.py"
    program.write_text(
        "from harken.errors import HarkenError\n"
        "from harken.soundflow.engine import engine_of\n"
        "def job(index):\n"
        "    if index == 2:\n"
        "        raise HarkenError('no room for 2')\n"
        "    return index\n"
        "try:\n"
        "    list(engine_of('ray', 1)(job, range(9)))\n"
        "except HarkenError as told:\n"
        "    print(told)\n",
        "utf-8",
    )
    done = subprocess.run(
        [sys.executable, program], capture_output=True, text=True, check=True, timeout=300
    )
    assert done.stdout.splitlines() == ["no room for 2"]
