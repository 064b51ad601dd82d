"""Teach a sound that the model was never taught to answer, and see what it learnt and what it lost.

    python benchmarks/teach.py steam_whistle --dev DEV --most 160 --out teach.json
    python benchmarks/teach.py --list

CLASS is a rule of `harken.soundflow.ground.generator` (30 sounds with details of their own) or a
label of the fetched corpora with at least 30 recordings. `harken teach` runs as a user runs it, one
in five recordings held out, and prints recall on these before and after. The dev figures of the old
model and of the taught one are those of `harken eval streams DEV`, on the same sessions. Run it on
an idle machine: the bound is 30 minutes on two cores, and old figures that drop by 0.02 at most.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from harken.cli.app import run
from harken.errors import HarkenError
from harken.soundflow.ground.generator import RECIPES
from harken.stream import SAMPLE_RATE

RECORDINGS = 30
BOUND_MINUTES, BOUND_DROP = 30.0, 0.02
SAY = "The kettle is boiling."
LOWER_IS_BETTER = ("false alarms", "WER", "needless", "delay", "own voice", "always")


def recordings(name: str, folder: Path) -> int:
    """Write recordings of a class to a folder; how many."""
    folder.mkdir(parents=True)
    for recipe in RECIPES:
        if recipe.name == name:
            for n in range(RECORDINGS):
                random = np.random.default_rng([2026, n])
                sound = recipe.make(random, float(random.uniform(0.8, 4.0)))
                sound *= np.float32(10 ** (random.uniform(-24, -3) / 20))
                hiss = random.normal(size=SAMPLE_RATE // 4 + len(sound)).astype(np.float32)
                hiss *= np.float32(10 ** (random.uniform(-75, -55) / 20))
                hiss[SAMPLE_RATE // 8 :][: len(sound)] += sound
                soundfile.write(folder / f"{n:02}.wav", hiss, SAMPLE_RATE)
            return RECORDINGS
    from harken.soundflow.sources import clips, load

    found = [c for c in clips(split="train", labels=[name]) if 0.1 <= c.seconds <= 20]
    if len(found) < RECORDINGS:
        raise HarkenError(f"{name} has {len(found)} recordings; choose a class of --list")
    chosen = np.random.default_rng(2026).permutation(len(found))[:RECORDINGS]
    for n, i in enumerate(chosen):
        soundfile.write(folder / f"{n:02}.wav", load(found[int(i)]), SAMPLE_RATE)
    return RECORDINGS


def classes() -> list[str]:
    """What can be taught here."""
    from harken.soundflow.sources import clips

    made = [recipe.name for recipe in RECIPES]
    try:
        counted = Counter(c.label for c in clips(split="train", kind="event"))
    except HarkenError:  # the corpora are not fetched: the rules are enough
        return made
    return made + sorted(label for label, n in counted.items() if n >= RECORDINGS)


def harken(*arguments: object) -> str:
    """Run the command; its output, which is also shown."""
    command = [sys.executable, "-m", "harken", *map(str, arguments)]
    print("$ harken", *arguments, flush=True)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout, flush=True)
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout


def dev_figures(dev: Path, model: Path | None, most: int, scratch: Path) -> dict[str, Any]:
    """The figures of `harken eval streams`."""
    out = scratch / "figures.json"
    chosen = ("--model", model) if model else ()
    harken("eval", "streams", dev, "--most", most, "--out", out, *chosen)
    figures: dict[str, Any] = json.loads(out.read_text("utf-8"))["figures"]
    return figures


def drops(before: dict[str, Any], after: dict[str, Any]) -> dict[str, float]:
    """By how much each share fell; rates and errors are shown and not bounded."""
    return {
        name: round(was["value"] - after[name]["value"], 4)
        for name, was in before.items()
        if name in after and not any(word in name for word in LOWER_IS_BETTER)
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", metavar="CLASS", nargs="?", default="steam_whistle")
    parser.add_argument("--list", action="store_true", help="print the classes")
    parser.add_argument("--say", default=SAY)
    parser.add_argument("--dev", type=Path, help="a data folder with dev streams")
    parser.add_argument("--most", type=int, default=160, help="so many dev sessions; 0 for all")
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--model", type=Path, help="begin with this checkpoint")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    asked = parser.parse_args()
    if asked.list:
        print("\n".join(classes()))
        return
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        folder, taught = scratch / asked.name, scratch / "taught.safetensors"
        recordings(asked.name, folder)
        before = dev_figures(asked.dev, asked.model, asked.most, scratch) if asked.dev else {}
        began = time.monotonic()
        model = ("--model", asked.model) if asked.model else ()
        report = harken(
            "teach", folder, "--say", asked.say, "--out", taught, "--minutes", asked.minutes, *model
        )
        minutes = (time.monotonic() - began) / 60
        after = dev_figures(asked.dev, taught, asked.most, scratch) if asked.dev else {}
    print(f"{'minutes from recordings to report':45} {minutes:.1f} (<= {BOUND_MINUTES:.0f})")
    fell = drops(before, after)
    for name in before:
        told = f"{before[name]['value']:.3f} -> {after.get(name, before[name])['value']:.3f}"
        print(f"{name:45} {told}  n={before[name]['n']}", "FELL" * (fell.get(name, 0) > BOUND_DROP))
    if asked.out:
        record = {
            "class": asked.name, "say": asked.say, "minutes": minutes,
            "report": report.splitlines(), "before": before, "after": after, "drops": fell,
        }  # fmt: skip
        asked.out.write_text(json.dumps(record, indent=1, ensure_ascii=False), "utf-8")


if __name__ == "__main__":
    sys.exit(run(main, "teach"))
