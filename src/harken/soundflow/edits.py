"""How far what was heard lies from what was said."""

from collections.abc import Sequence


def edits(truth: Sequence[str], guess: Sequence[str]) -> int:
    """Levenshtein distance between two lists of words (or of characters): fewest units put in,
    taken out or exchanged."""
    row = list(range(len(guess) + 1))
    for i, unit in enumerate(truth, start=1):
        new = [i]
        for j, other in enumerate(guess, start=1):
            new.append(min(row[j] + 1, new[-1] + 1, row[j - 1] + (unit != other)))
        row = new
    return row[-1]
