"""Standing orders as text, and as the words ear may take them."""

import numpy as np

from harken.soundflow.events import EVENTS, kind_counted
from harken.soundflow.phrases import counting_order, misheard


def test_a_misheard_noun_means_no_other_sound() -> None:
    random = np.random.default_rng(0)
    countable = [label for label, kind in EVENTS.items() if kind.nouns]
    changed = 0
    for label in countable:
        for _ in range(40):
            order = counting_order(label, random)
            heard = misheard(order, random)
            changed += heard != order
            assert set(kind_counted(heard)) <= set(kind_counted(order))
    assert changed > 20 * len(countable)
    assert misheard("Count every lawn mower.", random) == "Count every lawn mower."
