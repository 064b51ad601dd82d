"""Recipe files: what they hold, and which field is named when one is wrong."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.errors import HarkenError
from harken.soundflow.planned import Options
from harken.soundflow.recipe import (
    Recipe,
    load_recipe,
    narrowed,
    parse_recipe,
    record_recipe,
    shipped_recipes,
)
from harken.soundflow.tasks import COMPOSERS

GOOD = {"name": "night", "seed": 7, "split": "train", "tasks": {"chat": 1, "events": 3}}


def written(folder: Path, text: str) -> Path:
    path = folder / "a.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_file_gives_a_recipe_in_the_order_of_the_composers(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        'name = "night"\nseed = 7\nsplit = "dev"\nhours = 2\n[tasks]\nchat = 1\nevents = 3.5\n',
    )
    tasks = (("events", 3.5), ("chat", 1.0))
    assert load_recipe(path) == load_recipe(str(path)) == Recipe("night", 7, "dev", tasks, 2.0)


def test_the_shipped_recipes_are_good_and_the_default_has_the_shares_of_the_tasks() -> None:
    assert {"default", "quick", "published", "v1"} <= set(shipped_recipes())
    recipes = [load_recipe(name) for name in shipped_recipes()]
    assert [r.name for r in recipes] == list(shipped_recipes())
    assert len({(r.split, r.seed) for r in recipes}) == len(recipes)
    default = {name: share for name, (_, share) in COMPOSERS.items() if share}
    assert dict(load_recipe("default").tasks) == default
    assert sum(share for _, share in load_recipe("published").tasks) == pytest.approx(100)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": -1}, "seed is -1"),
        ({"seed": True}, "seed is True"),
        ({"seed": 1.5}, "seed is 1.5"),
        ({"name": " "}, "name is ' '"),
        ({"split": "judge"}, "split is 'judge'"),
        ({"hours": 0}, "hours is 0"),
        ({"hours": float("inf")}, "hours is inf"),
        ({"hours": True}, "hours is True"),
        ({"streams": 5}, "streams is no field"),
        ({"tasks": ["chat"]}, "tasks is"),
        ({"tasks": {}}, "tasks has no share"),
        ({"tasks": {"chat": 0}}, "tasks has no share"),
        ({"tasks": {"chat": -1}}, "tasks.chat is -1"),
        ({"tasks": {"chat": "much"}}, "tasks.chat is 'much'"),
        ({"tasks": {"juggle": 1}}, "tasks.juggle is no task"),
        ({"once": 1}, "once is 1"),
        ({"planned": True}, "planned is True"),
        (
            {"planned": {"new_voices": True}},
            "planned.new_voices is no field",
        ),
        ({"planned": {"new_takes": 1}}, "planned.new_takes is 1"),
        ({"planned": {"far_share": "often"}}, "planned.far_share is 'often'"),
        ({"planned": {"far_share": True}}, "planned.far_share is True"),
        ({"planned": {"far_share": 1.5}}, "planned.far_share is 1.5; give 0 to 1"),
        ({"planned": {"longest_s": 700}}, "planned.longest_s is 700; give 20 to 600 s"),
    ],
)
def test_a_wrong_field_is_named_with_its_value(change: dict[str, object], named: str) -> None:
    with pytest.raises(HarkenError, match=named) as raised:
        parse_recipe(GOOD | change, "a.toml")
    assert "a.toml" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_recipe_may_say_how_scenes_are_planned_and_what_is_said_once(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        'name = "night"\nseed = 7\nsplit = "dev"\nonce = true\n[tasks]\nplanned = 1\n'
        "[planned]\nnew_takes = true\nlongest_s = 120\n",
    )
    recipe = load_recipe(path)
    assert recipe.planned == Options(longest_s=120, new_takes=True) and recipe.once
    assert recipe.ways == {"once": True, "planned.longest_s": 120, "planned.new_takes": True}
    usual = parse_recipe(GOOD | {"planned": {"far_share": 0.7}, "once": False}, "a.toml")
    assert usual.ways == {} and usual == parse_recipe(GOOD, "b.toml")


def test_v1_has_every_task_and_lets_alarms_be_spoken_of_once() -> None:
    recipe = load_recipe("v1")
    assert all(share > 0 for _, share in recipe.tasks)
    assert [name for name, _ in recipe.tasks] == list(COMPOSERS)
    assert sum(share for _, share in recipe.tasks) == pytest.approx(100)
    assert recipe.once and recipe.planned.new_takes


@pytest.mark.parametrize("field", sorted(GOOD))
def test_a_missing_field_is_named(field: str) -> None:
    with pytest.raises(HarkenError, match=f"{field} is missing"):
        parse_recipe({k: v for k, v in GOOD.items() if k != field}, "a.toml")


def test_a_folder_of_the_same_name_does_not_hide_a_shipped_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "quick").mkdir()
    monkeypatch.chdir(tmp_path)
    assert load_recipe("quick").seed == 9001


def test_a_recipe_is_narrowed_to_tasks_with_their_shares() -> None:
    recipe = parse_recipe(GOOD | {"tasks": {"events": 3, "chat": 1, "count": 0}}, "a")
    assert narrowed(recipe, ()) is recipe
    assert narrowed(recipe, ["chat", "events"]).tasks == (("events", 3.0), ("chat", 1.0))
    assert narrowed(recipe, ["chat"]).tasks == (("chat", 1.0),)
    # Asked for alone, what has no share is composed in equal parts.
    assert narrowed(recipe, ["interrupted", "count"]).tasks == (
        ("count", 1.0),
        ("interrupted", 1.0),
    )
    with pytest.raises(HarkenError, match=r"no task 'juggle'; choose from events"):
        narrowed(recipe, ["juggle", "chat"])
    with pytest.raises(HarkenError, match="interrupted has no share in the recipe 'night'"):
        narrowed(recipe, ["chat", "interrupted"])


def test_what_is_no_recipe_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(HarkenError, match=r"no recipe 'nine'.*default"):
        load_recipe("nine")
    with pytest.raises(HarkenError, match="no TOML"):
        load_recipe(written(tmp_path, "name = "))
    with pytest.raises(HarkenError, match="no recipe"):
        load_recipe(tmp_path)
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(HarkenError, match="no UTF-8"):
        load_recipe(tmp_path / "b.toml")


@given(
    st.dictionaries(st.sampled_from(sorted(COMPOSERS)), st.floats(0, 1e6), min_size=1),
    st.integers(0, 2**40),
)
def test_shares_come_back_as_they_were_given(tasks: dict[str, float], seed: int) -> None:
    fields = GOOD | {"tasks": tasks, "seed": seed}
    if not sum(tasks.values()):
        with pytest.raises(HarkenError, match="no share above 0"):
            parse_recipe(fields, "a.toml")
        return
    recipe = parse_recipe(fields, "a.toml")
    assert dict(recipe.tasks) == tasks
    assert [n for n, _ in recipe.tasks] == [n for n in COMPOSERS if n in tasks]


def test_a_folder_refuses_another_recipe_of_the_same_seed(tmp_path: Path) -> None:
    one, other = parse_recipe(GOOD, "a"), parse_recipe(GOOD | {"tasks": {"chat": 2}}, "b")
    record_recipe(tmp_path, one)
    before = (tmp_path / "recipes.json").read_bytes()
    without = {"tasks": GOOD["tasks"] | {"count": 0}}  # type: ignore[operator]
    record_recipe(tmp_path, parse_recipe(GOOD | without, "a"))
    with pytest.raises(HarkenError, match="seed 7 by another recipe"):
        record_recipe(tmp_path, other)
    assert (tmp_path / "recipes.json").read_bytes() == before
    with pytest.raises(HarkenError, match="seed 7 by another recipe"):
        record_recipe(tmp_path, parse_recipe(GOOD | {"once": True}, "d"))
    record_recipe(tmp_path, parse_recipe(GOOD | {"tasks": {"chat": 2}, "seed": 8}, "c"))
    record_recipe(tmp_path, one)
