"""`import harken` stays light, so that a program may import it at no cost."""

import subprocess
import sys

HEAVY = {"torch", "onnxruntime", "ctranslate2", "av", "numpy", "soundfile", "tokenizers", "rich"}


def modules_after(statement: str) -> set[str]:
    """The top-level modules that a fresh interpreter holds after the statement."""
    code = f"{statement}; import sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(found.stdout.split())


def test_importing_harken_loads_nothing_heavy() -> None:
    assert modules_after("import harken") & HEAVY == set()


def test_the_command_line_loads_nothing_heavy_before_a_command_is_called() -> None:
    found = modules_after("import harken.cli.app")
    assert found & (HEAVY - {"rich"}) == set()


def test_the_check_sees_what_is_loaded() -> None:
    assert "soundfile" in modules_after("import harken.perceive.source")
