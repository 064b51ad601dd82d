"""Composer of tools: a wish or a sound is answered with the call of a tool the session offers.

How tools are offered and called is a matter of the stream (`harken.stream.tools`).
"""

import json
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

import numpy as np

from harken.soundflow.composing import (
    PLAIN,
    agreed,
    answer,
    bare_scene,
    language_for,
    level,
    passing_sound,
    pick,
    say,
)
from harken.soundflow.corpora import data_text
from harken.soundflow.events import EVENTS
from harken.soundflow.phrases import alike, conditional_order
from harken.soundflow.scene import Due, Scene, Variant, sound_due
from harken.soundflow.studio import Spoken, Studio
from harken.stream import Prefix
from harken.stream.tools import Call
from harken.stream.tools import offer as tools_offered

NOT_OFFERED = "I cannot do that here."
"""What a wish is answered with when no tool fulfils it."""

OFFERED_SHARE = 0.8
"""How often a wished tool is among those that the session offers."""
WISHED_SHARE = 0.55
"""How often tools are wished for aloud; else a sound calls for one, by an order."""

_MOST_TOOLS = 6


def call(tool: str, arguments: Mapping[str, Any]) -> str:
    """A call as a reply holds it."""
    return Call(tool, arguments).text()


def offer(tools: Collection[str]) -> str:
    """The sentences of a prefix that offer tools of `tools.json`, in this order."""
    takes: dict[str, str] = _content()["tools"]
    return tools_offered(f"{tool}({takes[tool]})" for tool in tools)


def call_tool(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """Wishes to be fulfilled by a tool, or a standing order to call one at a sound."""
    spoken = [s for s in studio.all_spoken("command", "en") if s.text in _wishes()]
    if spoken and random.random() < WISHED_SHARE:
        return _wished(spoken, studio, random)
    return _on_sound(studio, random)


def _wished(
    spoken: list[Spoken], studio: Studio, random: np.random.Generator
) -> tuple[Scene, list[Variant]]:
    """Wishes among talk and harmless sounds; some for what is not offered."""
    scene = bare_scene(studio, random, 16, 28)
    lines = [spoken[int(i)] for i in random.permutation(len(spoken))]
    needed = {_wishes()[s.text][0] for s in lines[:3]}
    offered = _offered({tool for tool in sorted(needed) if random.random() < OFFERED_SHARE}, random)
    due: list[Due] = []
    scene.wait(0.6, 2.5)
    while lines:
        draw = random.random()
        if draw < 0.55 or not due:
            line = lines.pop(0)
            if not scene.fits(studio.voice(line), 2.5):
                break
            tool, arguments = _wishes()[line.text]
            reply = call(tool, arguments) if tool in offered else NOT_OFFERED
            due.append(answer(say(scene, studio, line), reply, "tool"))
            scene.wait(2.4, 4.0)
        elif draw < 0.8:
            language = language_for(random, studio, "not_addressed")
            talk = studio.spoken("not_addressed", language, random)
            if not scene.fits(studio.voice(talk), 1.0):
                break
            say(scene, studio, talk)
            scene.wait(1.7, 3.0)
        elif not passing_sound(scene, studio):
            break
    return scene, [Variant("call_tool", Prefix(instruction=offer(offered)), tuple(due))]


def _on_sound(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """A sound that calls for a tool, by an order given aloud or in the prefix."""
    scene = bare_scene(studio, random, 18, 28)
    aloud = [
        s
        for s in studio.all_spoken("order_tool", "en")
        if s.text in _content()["orders"] and _content()["orders"][s.text][0] in studio.labels
    ]
    due: list[Due] = []
    scene.wait(0.4, 1.5)
    if aloud and random.random() < 0.5:
        line = aloud[int(random.integers(len(aloud)))]
        label, wish = _content()["orders"][line.text]
        asked = ""
        due.append(agreed(say(scene, studio, line), line))
        scene.wait(1.6, 2.6)
    else:
        label = pick(random, [n for n in studio.labels if not EVENTS[n].quiet])
        wish = pick(random, tuple(_content()["wishes"]))
        asked = conditional_order(label, wish, random)
    tool, arguments = _wishes()[wish]
    others = [n for n in studio.labels if n in PLAIN and n not in alike(label)]
    while True:
        this = label if random.random() < 0.4 else pick(random, others)
        clip, source = studio.event(this, random)
        if not scene.fits(clip, 1.2):
            break
        span = scene.place(clip, level(random), source, this)
        if this == label:
            due.append(sound_due(*span, (call(tool, arguments), "normal"), label))
        scene.wait(1.4, 3.4)
    instruction = f"{offer(_offered({tool}, random))} {asked}".strip()
    return scene, [Variant("call_tool", Prefix(instruction=instruction), tuple(due))]


def _offered(needed: set[str], random: np.random.Generator) -> list[str]:
    """These tools and some others, in any order."""
    others = sorted(set(_content()["tools"]) - needed)
    more = [others[int(i)] for i in random.permutation(len(others))[: _MOST_TOOLS - len(needed)]]
    offered = [*sorted(needed), *more[: int(random.integers(1, len(more) + 1))]]
    return [offered[int(i)] for i in random.permutation(len(offered))]


def _wishes() -> dict[str, tuple[str, dict[str, Any]]]:
    """What is said, with the tool and the arguments that it asks for."""
    return {
        text: (tool, arguments)
        for group in ("commands", "wishes")
        for text, (tool, arguments) in _content()[group].items()
    }


@cache
def _content() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(data_text("tools.json"))
    return content
