"""All composers, and the share of each in what is composed."""

from harken.soundflow.agent_tasks import call_tool
from harken.soundflow.alarm_tasks import say_once
from harken.soundflow.composing import Composer
from harken.soundflow.dialogue_tasks import follow_up, switch_direction
from harken.soundflow.heard_tasks import describe_music, use_what_was_heard
from harken.soundflow.planned import planned
from harken.soundflow.playing_tasks import interrupted
from harken.soundflow.sound_tasks import background, count, events, tell_when, what_was_that
from harken.soundflow.spoken_tasks import (
    chat,
    narrate_on_request,
    others_talking,
    remember,
    transcribe,
    translate,
)
from harken.soundflow.standing_tasks import change_order

COMPOSERS: dict[str, tuple[Composer, float]] = {
    "events": (events, 0.22),
    "count": (count, 0.13),
    "narrate_order": (narrate_on_request, 0.07),
    "tell_when": (tell_when, 0.07),
    "transcribe": (transcribe, 0.07),
    "translate": (translate, 0.10),
    "chat": (chat, 0.08),
    "what_was_that": (what_was_that, 0.02),
    "remember": (remember, 0.05),
    "background": (background, 0.09),
    "others_talking": (others_talking, 0.12),
    "interrupted": (interrupted, 0.0),
    "planned": (planned, 0.0),
    "change_order": (change_order, 0.0),
    "say_once": (say_once, 0.0),
    "switch_direction": (switch_direction, 0.0),
    "follow_up": (follow_up, 0.0),
    "use_what_was_heard": (use_what_was_heard, 0.0),
    "call_tool": (call_tool, 0.0),
    "describe_music": (describe_music, 0.0),
}
"""Composer and share of the mix; one with the share 0 is composed where it is asked for alone."""
