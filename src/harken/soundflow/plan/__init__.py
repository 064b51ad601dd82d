"""Planning: which sounds a stream shall have, in what order, and who speaks to whom."""

from harken.soundflow.plan.chat import Endpoint
from harken.soundflow.plan.grammar import GrammarPlanner
from harken.soundflow.plan.llm import LlmPlanner
from harken.soundflow.plan.plan import (
    EVERYONE,
    LISTENER,
    MAX_PLAN_S,
    ONESELF,
    SPEECH,
    Fault,
    Plan,
    PlannedEvent,
    Planner,
    Reason,
    Rules,
    check,
    covered,
    faults,
    latest_end_s,
    timed,
)
from harken.soundflow.plan.scenes import scene_book
from harken.soundflow.plan.show import shown

__all__ = [
    "EVERYONE",
    "LISTENER",
    "MAX_PLAN_S",
    "ONESELF",
    "SPEECH",
    "Endpoint",
    "Fault",
    "GrammarPlanner",
    "LlmPlanner",
    "Plan",
    "PlannedEvent",
    "Planner",
    "Reason",
    "Rules",
    "check",
    "covered",
    "faults",
    "latest_end_s",
    "scene_book",
    "shown",
    "timed",
]
