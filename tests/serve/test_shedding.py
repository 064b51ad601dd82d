"""What is shed when, and that it ends."""

from harken.serve.shedding import Shedding


def names(*lags_s: float) -> list[str]:
    shedding, found = Shedding(), []
    for lag_s in lags_s:
        shedding = shedding.after(lag_s)
        found.append(shedding.name)
    return found


def test_it_grows_with_the_lag_and_shrinks_in_steps() -> None:
    assert names(0.1, 1.3, 2.0, 2.5, 1.0, 0.3, 0.3, 0.3) == [
        "none",
        "words-at-pauses",
        "words-at-pauses",
        "no-acoustic",
        "no-acoustic",
        "words-at-pauses",
        "none",
        "none",
    ]


def test_between_the_bounds_it_stays() -> None:
    assert names(1.3, 0.5, 1.1, 0.5) == ["words-at-pauses"] * 4
    assert names(0.5, 1.1) == ["none"] * 2


def test_what_is_shed() -> None:
    words, both = Shedding(level=1), Shedding(level=2)
    assert (words.spares_words, words.spares_acoustic) == (True, False)
    assert (both.spares_words, both.spares_acoustic) == (True, True)
