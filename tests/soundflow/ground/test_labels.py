"""What is known about labels: every one that is named exists."""

from harken.soundflow.ground.labels import PAUSING, VOICED, classes_of, lasting
from harken.soundflow.plan.plan import LABELS


def test_every_named_label_exists() -> None:
    assert PAUSING <= LABELS and VOICED <= LABELS and lasting() <= LABELS


def test_classes_come_from_the_list_and_are_empty_without() -> None:
    assert classes_of("glass_break") == ("Shatter",)
    assert classes_of("ambience_machine") == classes_of("no such label") == ()
    assert "rain_storm" in lasting() and "knock" not in lasting()
