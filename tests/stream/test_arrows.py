"""Control ids are made in one place. These tests read the syntax trees of the whole package.

The rule: a module outside `harken.stream` neither asks a profile for a control by its name, nor
reads the profile's table of controls, nor writes a control id as a number, nor gives positions an
owner, nor builds a `Stream`: it calls the writer. Who runs, trains or logs a model may look up ids
to recognise them and to find their rows (`end_id`, `own_row_ids`, …); nobody else may.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import harken
from harken.stream import profile_named

SOURCE = Path(harken.__file__).parent
MODULES = sorted(p.relative_to(SOURCE).as_posix() for p in SOURCE.rglob("*.py"))
OUTSIDE = [m for m in MODULES if not m.startswith("stream/")]

LOOK_UPS = {
    "audio_id",
    "control_ids",
    "decision_ids",
    "emotion_ids",
    "end_id",
    "own_row_ids",
    "respond_id",
}
MAY_LOOK_UP = ("decide/", "live/", "train/")
BUILDERS = {"Owner", "Stream", "stream_of"}
# What one module may do beyond the rule, and why.
EXCEPTIONS = {
    "live/log.py": {"Stream"},  # keeps the writer's own pieces
    "train/model.py": {"control", "controls"},  # END begins as the pretrained row of IM_END
}
# `tiny` is left out: its ids begin at 256, where numbers mean many other things.
CONTROL_NUMBERS = profile_named("mini").control_ids | profile_named("released-3b").control_ids


def is_profile(node: ast.expr) -> bool:
    """Whether an expression is called a profile, as in `profile` or `self._profile`."""
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name.lower().endswith("profile")


def deeds(node: ast.AST, module: str) -> Iterator[str]:
    """The names of what one node does that only the stream package may do."""
    if isinstance(node, ast.Attribute) and node.attr == "controls" and is_profile(node.value):
        yield "controls"
    if isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        called = node.func.id if isinstance(node.func, ast.Name) else called
        if called in BUILDERS or called == "control":
            yield called
    if isinstance(node, ast.Attribute):
        if node.attr in LOOK_UPS and not module.startswith(MAY_LOOK_UP):
            yield node.attr
        if isinstance(node.value, ast.Name) and node.value.id == "Owner":
            yield "Owner"
    if isinstance(node, ast.Constant) and type(node.value) is int and node.value in CONTROL_NUMBERS:
        yield str(node.value)


def breaches(module: str, source: str) -> list[str]:
    """Every breach of the rule in a module, as `line: what`."""
    allowed = EXCEPTIONS.get(module, set())
    return [
        f"{getattr(node, 'lineno', 0)}: {deed}"
        for node in ast.walk(ast.parse(source))
        for deed in deeds(node, module)
        if deed not in allowed
    ]


@pytest.mark.parametrize("module", OUTSIDE)
def test_only_the_stream_package_makes_control_ids(module: str) -> None:
    assert breaches(module, (SOURCE / module).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "ids = [profile.control('SILENT')]",
        "ids = dict(profile.controls)",
        "ids = [151_667, 151_670]",
        "RESPOND = 151644",
        "s = Stream(profile, ids, owners)",
        "s = writer.stream_of(profile, pieces)",
        "piece = ([3], [Owner.SAID])",
    ],
)
def test_the_rule_sees_a_breach(source: str) -> None:
    assert breaches("live/session.py", source)


def test_models_may_look_up_and_not_make() -> None:
    look_up = "rows = [own[i] for i in profile.decision_ids]"
    assert not breaches("decide/any.py", look_up)
    assert breaches("cli/any.py", look_up)


def test_every_exception_is_needed() -> None:
    for module, allowed in EXCEPTIONS.items():
        tree = ast.parse((SOURCE / module).read_text(encoding="utf-8"))
        assert allowed <= {deed for node in ast.walk(tree) for deed in deeds(node, module)}


def test_the_stream_package_imports_nothing_of_ours_but_errors() -> None:
    inside = [m for m in MODULES if m.startswith("stream/")]
    assert inside
    for module in inside:
        for node in ast.walk(ast.parse((SOURCE / module).read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                if name.split(".")[0] == "harken":
                    assert name == "harken.errors" or name.startswith("harken.stream"), module
