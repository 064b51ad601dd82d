"""What several threads ask runs as one: who waits for whom, and what goes wrong stays where it is.

Nobody's patience ends here, so what runs together does not depend on the machine.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from harken.decide.company import Company


class Roots:
    """Square roots, and what was asked for together."""

    def __init__(self) -> None:
        self.runs: list[list[float]] = []

    def __call__(self, asked: Sequence[float]) -> list[float]:
        self.runs.append(sorted(asked))
        if min(asked) < 0:
            raise ValueError("no root of less than nothing")
        return [x**0.5 for x in asked]


def at_once(steps: Sequence[Callable[[], float]], company: Company[float, float]) -> list[object]:
    """What each step, in a thread of its own, returns or raises; all begin before one asks."""
    begun = threading.Barrier(len(steps))

    def take(step: Callable[[], float]) -> object:
        try:
            with company.step():
                begun.wait(600)
                return step()
        except ValueError as error:
            return str(error)

    with ThreadPoolExecutor(len(steps)) as threads:
        return list(threads.map(take, steps))


def company_of(most: int, run: Roots, patience_s: float = 600) -> Company[float, float]:
    return Company(run, lambda waiting: min(most, len(waiting)), patience_s=patience_s)


def test_those_in_a_step_run_together() -> None:
    roots = Roots()
    company = company_of(4, roots)
    given = at_once([partial(company.ask, x) for x in (1.0, 4.0, 9.0)], company)
    assert given == [1, 2, 3]
    assert roots.runs == [[1, 4, 9]]


def test_whoever_asks_again_is_waited_for() -> None:
    roots = Roots()
    company = company_of(4, roots)

    def twice() -> float:
        return company.ask(company.ask(16.0))

    assert at_once([twice, twice, lambda: company.ask(81.0)], company) == [2, 2, 9]
    assert roots.runs == [[16, 16, 81], [4, 4]]


def test_a_step_that_ends_without_asking_is_not_waited_for() -> None:
    roots = Roots()
    company = company_of(4, roots)
    assert at_once([lambda: 0.0, lambda: company.ask(4.0)], company) == [0, 2]
    assert roots.runs == [[4]]


def test_more_than_fit_run_one_after_another() -> None:
    roots = Roots()
    company = company_of(2, roots)
    given = at_once([partial(company.ask, x) for x in (1.0, 4.0, 9.0)], company)
    assert given == [1, 2, 3]
    assert sorted(map(len, roots.runs)) == [1, 2]


def test_what_fails_is_told_to_who_asked_for_it_alone() -> None:
    roots = Roots()
    company = company_of(4, roots)
    given = at_once([partial(company.ask, x) for x in (4.0, -1.0, 9.0)], company)
    assert given == [2, "no root of less than nothing", 3]
    assert company.ask(25.0) == 5


def test_patience_ends() -> None:
    roots = Roots()
    company = company_of(4, roots, patience_s=0.0)
    with company.step(), company.step():  # the other one will not ask
        assert company.ask(4.0) == 2


def test_outside_of_a_step_nobody_is_waited_for() -> None:
    with pytest.raises(ValueError, match="less than nothing"):
        company_of(4, Roots()).ask(-1.0)
    assert company_of(4, Roots()).ask(4.0) == 2
