"""A recipe: which tasks are composed, in which shares, from which split and seed.

A TOML file:

    name = "night"
    seed = 7            # equal seeds give equal streams
    split = "train"     # or "dev", "test"
    hours = 20.0        # optional: how much to make
    once = true         # optional: an alarm that goes on is spoken of once

    [tasks]             # the names of `harken.soundflow.tasks`, each with its share
    events = 0.6        # shares are weights: they need not add up to one
    chat = 0.4

    [planned]           # optional: how plans become streams, the fields of `planned.Options`
    new_takes = true

`default`, `quick`, `published` and `v1` ship with Harken (`data/recipes`).
"""

import json
import math
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from importlib import resources
from pathlib import Path
from typing import Any

from harken.errors import HarkenError
from harken.parts.cache import place
from harken.soundflow.manifest import SPLITS
from harken.soundflow.planned import Options
from harken.soundflow.tasks import COMPOSERS

Shares = tuple[tuple[str, float], ...]
"""Tasks and their weights, in the order of `COMPOSERS`, which the draw of a seed depends on."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to compose; equal recipes give equal streams.

    once: whether an alarm that goes on is spoken of once wherever nobody gave an order
    (`alarm_tasks.spoken_of_once`).
    planned: how the composer `planned` makes a stream of a plan.
    """

    name: str
    seed: int
    split: str
    tasks: Shares
    hours: float | None = None
    once: bool = False
    planned: Options = field(default_factory=Options)

    @property
    def ways(self) -> dict[str, object]:
        """What else than tasks and shares makes its streams others than usual; mostly nothing."""
        usual = asdict(Options())
        planned = {f"planned.{n}": v for n, v in asdict(self.planned).items() if v != usual[n]}
        return ({"once": True} if self.once else {}) | planned


def load_recipe(place: str | Path) -> Recipe:
    """The recipe in a file, or the shipped one of that name.

    Args:
        place: a path, or one of `shipped_recipes()`.

    Raises:
        HarkenError: there is none, it is no TOML, or one of its fields is wrong; the message
            names the field.
    """
    path = Path(place)
    try:
        if not path.is_file() and str(place) in shipped_recipes():
            text = _folder().joinpath(f"{place}.toml").read_text("utf-8")
        else:
            text = path.read_text("utf-8")
    except OSError as missing:
        raise HarkenError(
            f"no recipe {str(place)!r} ({missing.strerror}); give a TOML file or one of "
            f"{', '.join(shipped_recipes())}"
        ) from missing
    except UnicodeDecodeError as broken:
        raise HarkenError(f"the recipe {place} is no UTF-8 text ({broken.reason})") from broken
    try:
        return parse_recipe(tomllib.loads(text), str(place))
    except tomllib.TOMLDecodeError as broken:
        raise HarkenError(f"the recipe {place} is no TOML: {broken}") from broken


def shipped_recipes() -> tuple[str, ...]:
    """The names of the recipes that ship with Harken."""
    files = (Path(entry.name) for entry in _folder().iterdir())
    return tuple(sorted(file.stem for file in files if file.suffix == ".toml"))


def parse_recipe(given: Mapping[str, Any], where: str) -> Recipe:
    """A recipe from the fields of its file; `where` is named in errors.

    Raises:
        HarkenError: a field is missing, unknown or wrong.
    """
    known = [one.name for one in fields(Recipe)]
    for key in given:
        if key not in known:
            raise _wrong(where, key, "is no field", f"choose from {', '.join(known)}")
    for key in ("name", "seed", "split", "tasks"):
        if key not in given:
            raise _wrong(where, key, "is missing", "add it")
    name, seed, split, hours = (given.get(key) for key in ("name", "seed", "split", "hours"))
    if not isinstance(name, str) or not name.strip():
        raise _wrong(where, "name", f"is {name!r}", "give a text")
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise _wrong(where, "seed", f"is {seed!r}", "give a whole number from 0 on")
    if split not in SPLITS:
        raise _wrong(where, "split", f"is {split!r}", f"choose from {', '.join(SPLITS)}")
    if hours is not None and not (_is_number(hours) and hours > 0):
        raise _wrong(where, "hours", f"is {hours!r}", "give a number above 0, or leave it out")
    once = given.get("once", False)
    if not isinstance(once, bool):
        raise _wrong(where, "once", f"is {once!r}", "give true or false")
    return Recipe(
        name,
        seed,
        split,
        _shares(given["tasks"], where),
        None if hours is None else float(hours),
        once,
        _options(given.get("planned", {}), where),
    )


def narrowed(recipe: Recipe, only: Collection[str]) -> Recipe:
    """The recipe with these of its tasks and their shares; all when `only` is empty.

    Tasks that have no share in it are composed too, in equal shares, when no other is asked for.

    Raises:
        HarkenError: no such task, or one without a share beside one that has a share.
    """
    if not only:
        return recipe
    if unknown := sorted(set(only) - COMPOSERS.keys()):
        raise HarkenError(f"no task {unknown[0]!r}; choose from {', '.join(COMPOSERS)}")
    shares = {task: dict(recipe.tasks).get(task, 0.0) for task in COMPOSERS if task in only}
    without = [task for task, share in shares.items() if not share]
    if len(without) == len(shares):
        shares = dict.fromkeys(shares, 1.0)
    elif without:
        raise HarkenError(
            f"{without[0]} has no share in the recipe {recipe.name!r} and would never be drawn "
            "beside the others; build it alone with another seed, or write a recipe with its share"
        )
    return replace(recipe, tasks=tuple(shares.items()))


def record_recipe(folder: Path, recipe: Recipe) -> None:
    """Note in a data folder how the streams of this split and seed are drawn: shares and `ways`.

    Raises:
        HarkenError: they were drawn by others: the same index would be another stream.
    """
    path = folder / "recipes.json"
    recorded = json.loads(path.read_text("utf-8")) if path.exists() else {}
    key = f"{recipe.split}-{recipe.seed}"
    # Without a share nothing is drawn of a task.
    shares = {task: share for task, share in recipe.tasks if share} | recipe.ways
    if recorded.get(key, shares) != shares:
        raise HarkenError(
            f"{folder} holds streams of split {recipe.split} and seed {recipe.seed} by another "
            f"recipe than {recipe.name!r} ({path.name}); change its seed or take another folder"
        )
    if key not in recorded:
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(recorded | {key: shares}, indent=1, sort_keys=True), "utf-8")
        place(partial, path)


def _shares(tasks: object, where: str) -> Shares:
    if not isinstance(tasks, Mapping):
        raise _wrong(where, "tasks", f"is {tasks!r}", "make it a table of tasks with shares")
    for task, share in tasks.items():
        if task not in COMPOSERS:
            choices = f"choose from {', '.join(COMPOSERS)}"
            raise _wrong(where, f"tasks.{task}", "is no task", choices)
        if not _is_number(share) or share < 0:
            raise _wrong(where, f"tasks.{task}", f"is {share!r}", "give a share from 0 on")
    shares = tuple((task, float(tasks[task])) for task in COMPOSERS if task in tasks)
    if not sum(share for _, share in shares):
        raise _wrong(where, "tasks", "has no share above 0", "give at least one task a share")
    return shares


def _options(given: object, where: str) -> Options:
    if not isinstance(given, Mapping):
        raise _wrong(where, "planned", f"is {given!r}", "make it a table")
    known = asdict(Options())
    for name, value in given.items():
        if name not in known:
            raise _wrong(where, f"planned.{name}", "is no field", f"choose from {', '.join(known)}")
        is_switch = isinstance(known[name], bool)
        if is_switch != isinstance(value, bool) or not (is_switch or _is_number(value)):
            wanted = "give true or false" if is_switch else "give a number"
            raise _wrong(where, f"planned.{name}", f"is {value!r}", wanted)
    try:
        return Options(**given)
    except HarkenError as wrong:
        raise HarkenError(f"planned.{wrong} (recipe {where})") from wrong


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _wrong(where: str, field: str, what: str, mend: str) -> HarkenError:
    return HarkenError(f"{field} {what} in the recipe {where}; {mend}")


def _folder() -> resources.abc.Traversable:
    return resources.files("harken.soundflow").joinpath("data", "recipes")
