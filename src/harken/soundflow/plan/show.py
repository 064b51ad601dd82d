"""A plan as text for people: one line an event."""

from harken.soundflow.plan.plan import SPEECH, Plan, PlannedEvent


def shown(plan: Plan) -> str:
    """The scene and its situation, an aligned line for each event, then the orders.

    The columns are role, gap and rough duration in seconds, name, and who speaks to whom or the
    query that finds the sound. No space ends a line, no newline the text.
    """
    width = max((len(e.name) for e in plan.events), default=0)
    lines = [f"{plan.scene}: {plan.situation} (seed {plan.seed})"]
    lines += [_line(event, width) for event in plan.events]
    lines += [f"{before} before {after}" for before, after in plan.orders]
    return "\n".join(lines)


def _line(event: PlannedEvent, width: int) -> str:
    low_s, high_s = event.start_after
    gap = f"{low_s:.1f} to {high_s:.1f}"
    told = event.query
    if event.label == SPEECH:
        told = f"{event.speaker} to {event.addressed_to}: {event.query}"
    return f"{event.role:7}  {gap:>12}  {event.rough_duration_s:5.1f}  {event.name:{width}}  {told}"
