"""Whether a sound of some length will do for a planned event."""

from harken.soundflow.plan import PlannedEvent

LEAST_SHARE, MOST_SHARE = 0.5, 2.0
"""Published: a sound of half to twice the planned length will do."""
AMBIENT_LEAST_S = 3.0
"""An ambient sound is laid end to end under the whole stream, so any piece from here on will do."""


def length_fits(event: PlannedEvent, seconds: float) -> str:
    """Empty if it will do, else "too short" or "too long".

    No ambient sound is too long: it is cut where the stream ends.
    """
    if event.role == "ambient":
        least_s = min(AMBIENT_LEAST_S, LEAST_SHARE * event.rough_duration_s)
        return "" if seconds >= least_s else "too short"
    if seconds < LEAST_SHARE * event.rough_duration_s:
        return "too short"
    return "too long" if seconds > MOST_SHARE * event.rough_duration_s else ""
