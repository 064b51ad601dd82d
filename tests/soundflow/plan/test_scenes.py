"""The scene book: what ships is sound, and a broken field is named."""

import json
from typing import Any

import pytest

from harken.errors import HarkenError
from harken.soundflow.corpora import data_text
from harken.soundflow.events import EVENTS
from harken.soundflow.plan.scenes import read_scenes, scene_book

PLACES = {
    *("home", "kitchen", "bathroom", "nursery", "office", "street", "car", "train"),
    *("airport", "farm", "forest", "seaside", "workshop", "hospital", "school", "party"),
}


def small() -> dict[str, Any]:
    """A book of one scene, which is accepted as it is."""
    door = {
        "name": "door_opens",
        "label": "door",
        "lasts_s": [0.5, 2],
        "query": "{wood} door opening slowly",
        "description": "A {wood} door opens.",
    }
    steps = {**door, "name": "steps", "label": "footsteps", "needs": ["door_opens"]}
    return {
        "about": "a test",
        "ambient_labels": ["fan"],
        "groups": {"sea": ["waves"]},
        "apart": [[["sea"], ["printer"]]],
        "people": {"mother": "Speech", "child": "Speech"},
        "lists": {"wood": ["heavy wooden"], "manner": ["calmly"]},
        "fixed": ["wood"],
        "scenes": [
            {
                "name": "home",
                "situations": ["A day at home"],
                "excludes": ["sea"],
                "ambient": [
                    {
                        "name": "fan",
                        "label": "fan",
                        "query": "fan in a room",
                        "description": "A fan runs.",
                    }
                ],
                "sounds": [door, steps],
                "talks": [{"speakers": ["mother"], "addressed": ["child"], "about": ["a cake"]}],
            }
        ],
    }


def changed(path: str, value: object) -> str:
    """The small book with one field set to a value, or deleted for None."""
    book: Any = small()
    *steps, last = [int(s) if s.isdigit() else s for s in path.split(".")]
    inner = book
    for step in steps:
        inner = inner[step]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return json.dumps(book)


def test_the_book_that_ships_has_every_place_and_names_most_events() -> None:
    book = scene_book()
    assert book.scenes.keys() >= PLACES
    labels = {s.label for scene in book.scenes.values() for s in (*scene.sounds, *scene.ambient)}
    assert len(labels & EVENTS.keys()) >= 0.9 * len(EVENTS)
    for scene in book.scenes.values():
        assert len(scene.sounds) >= 10 and len(scene.ambient) >= 2 and len(scene.talks) >= 2
        assert len(book.rules.excluded[scene.name]) >= 10
        assert any(s.needs or s.after for s in scene.sounds), f"{scene.name} knows no causes"


def test_no_waves_in_an_office() -> None:
    assert "waves" in scene_book().rules.excluded["office"]
    assert frozenset({"waves", "printer"}) in scene_book().rules.apart


def test_the_small_book_is_accepted() -> None:
    book = read_scenes(json.dumps(small()))
    assert book.rules.excluded == {"home": {"waves"}}
    assert book.scenes["home"].sounds[1].most == 1
    assert book.fingerprint != scene_book().fingerprint


SOUND = "scenes.0.sounds.0"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("about", None, "about: Field required"),
        ("extra", 1, "extra: Unexpected"),
        ("scenes", [], "scenes: there is none"),
        ("scenes.0.sound", [], r"scenes\[0\].sound: Unexpected"),
        ("scenes.0.talks", None, r"scenes\[0\].talks: Field required"),
        ("scenes.0.ambient", [], r"scenes\[0\].ambient: there is none"),
        ("scenes.0.excludes", ["desert"], r"scenes\[0\].excludes: 'desert' is not known"),
        ("scenes.0.excludes", ["door"], r"sounds\[0\].label: 'door' is excluded from home"),
        ("scenes.0.ambient.0.label", "door", r"ambient\[0\].label: 'door' is not known"),
        (f"{SOUND}.label", "dor", r"scenes\[0\].sounds\[0\].label: 'dor' is not known"),
        (f"{SOUND}.label", "other_effect", r"sounds\[0\].tags: none are known"),
        (f"{SOUND}.lasts_s", [2, 1], r"sounds\[0\].lasts_s: .* must rise"),
        (f"{SOUND}.lasts_s", ["1", 2], r"sounds\[0\].lasts_s\[0\]: .* number"),
        (f"{SOUND}.lasts_s", [1], r"sounds\[0\].lasts_s"),
        (f"{SOUND}.gap_s", [0, 61], r"sounds\[0\].gap_s: "),
        (f"{SOUND}.most", 0, r"sounds\[0\].most: 0"),
        (f"{SOUND}.most", 1.5, r"sounds\[0\].most: "),
        (f"{SOUND}.weight", 0, r"sounds\[0\].weight: 0"),
        (f"{SOUND}.role", "front", r"sounds\[0\].role: "),
        (f"{SOUND}.role", "bg", r"sounds\[1\].needs: 'door_opens' is a background sound"),
        (f"{SOUND}.after", ["steps"], r"scenes\[0\].sounds: needs and after go round"),
        (f"{SOUND}.apart", ["cat"], r"sounds\[0\].apart: 'cat' is not known"),
        (f"{SOUND}.name", "steps", r"scenes\[0\].sounds: 'steps' is there 2 times"),
        (f"{SOUND}.query", "door opening", r"sounds\[0\].query: 'door opening' is not of 4 to 12"),
        (f"{SOUND}.query", "a {stone} door opens", r"query: the list 'stone' is not in lists"),
        (f"{SOUND}.description", "A (door opens", r"sounds\[0\].description: .* lacks a"),
        ("scenes.0.talks.0.speakers", ["cat"], r"talks\[0\].speakers: 'cat' is not known"),
        ("scenes.0.talks.0.addressed", ["mother"], r"talks\[0\].addressed: a speaker"),
        ("scenes.0.talks.0.turns", [3, 2], r"talks\[0\].turns: "),
        ("scenes.0.situations", ["[x"], r"situations\[0\]: "),
        ("groups.sea", ["wave"], "groups.sea: 'wave' is not known"),
        ("apart", [[["sea"], ["prnter"]]], r"apart\[0\]\[1\]: 'prnter' is not known"),
        ("fixed", ["stone"], "fixed: 'stone' is not known"),
        ("lists", {"wood": ["heavy oak"]}, "lists: it lacks 'manner'"),
        ("lists.wood", [], "lists.wood: it has no word"),
    ],
)
def test_a_broken_field_is_named(path: str, value: object, message: str) -> None:
    with pytest.raises(HarkenError, match=f"scenes.json: .*{message}"):
        read_scenes(changed(path, value))


def test_a_danger_in_the_background_is_refused() -> None:
    book = small()
    book["scenes"][0]["sounds"].append(
        {**book["scenes"][0]["sounds"][0], "name": "bang", "label": "glass_break", "role": "bg"}
    )
    with pytest.raises(HarkenError, match=r"sounds\[2\].role: 'glass_break' is a danger"):
        read_scenes(json.dumps(book))


def test_text_that_is_no_json_is_refused() -> None:
    with pytest.raises(HarkenError, match=r"scenes\.json: the whole: Invalid JSON"):
        read_scenes(data_text("scenes.json")[:-10])
