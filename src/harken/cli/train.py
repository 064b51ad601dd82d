"""`harken train`: run, resume, export, mean, weaken."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from harken.cli.app import EXIT_INTERRUPTED
from harken.cli.outputs import require_place
from harken.errors import HarkenError

app = typer.Typer(
    name="train",
    help="Train adapters, control rows and LoRA on composed streams.",
    no_args_is_help=True,
    add_completion=False,
)

Minutes = Annotated[
    float | None, typer.Option(help="Training time; the learning rate falls over it.")
]
Steps = Annotated[int | None, typer.Option(help="End after so many steps.")]
Name = Annotated[str, typer.Argument(help="The name the run was given.")]


@app.command("run")
def run_command(
    data: Annotated[Path, typer.Argument(help="A data folder (streams.jsonl and features/).")],
    name: Annotated[str, typer.Option(help="A name for the run.")],
    minutes: Minutes = None,
    steps: Steps = None,
    seed: Annotated[
        int | None, typer.Option(help="Decides the order and every random beginning.")
    ] = None,
    stage: Annotated[
        str | None,
        typer.Option(help="A stage of the recipe: format, ears, streams or interaction."),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Begin with what a run (its name) or a checkpoint (a .safetensors file) has "
            "learnt, on a schedule of its own.",
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="A JSON file with fields of the configuration; options win.")
    ] = None,
) -> None:
    """Start a run; a killed one goes on with `resume`."""
    require_torch()
    from harken.train.anchor import require_anchor
    from harken.train.compute import fastest
    from harken.train.config import TrainConfig
    from harken.train.processes import join
    from harken.train.reading import train_records
    from harken.train.run import Run, run_folder
    from harken.train.stages import stage_named

    options = {"minutes": minutes, "steps": steps, "seed": seed}
    fields = stage_named(stage) if stage else {}
    fields |= _fields_in(config) if config else {}
    fields |= {name: value for name, value in options.items() if value is not None}
    chosen = TrainConfig.from_json(json.dumps(fields), str(config or "the command line"))
    run, processes = Run(run_folder(name)), join(chosen)

    def begin() -> TrainConfig:
        require_anchor(chosen, train_records(data))  # before the run takes its name
        # Kept with the run: it continues in the format it began with, wherever it is resumed.
        compute = fields.get("compute") or fastest(processes.device)
        config = replace(chosen, compute=compute)
        run.begin(config, data, _start(start, config.profile) if start else None)
        return config

    _train(run, processes.from_first(begin), data, processes)


@app.command()
def resume(name: Name, minutes: Minutes = None, steps: Steps = None) -> None:
    """Continue a run from its last saved state; a new budget stretches its schedule."""
    require_torch()
    from harken.train.processes import join
    from harken.train.run import Run, run_folder

    run = Run(run_folder(name))
    config, data = run.describe()
    if minutes is not None or steps is not None:
        config = replace(config, minutes=minutes or config.minutes, steps=steps or config.steps)
    _train(run, config, data, join(config))


@app.command()
def export(
    name: Name,
    out: Annotated[
        Path, typer.Argument(callback=require_place, help="The checkpoint to write (.safetensors).")
    ],
    newest: Annotated[
        bool, typer.Option(help="The newest state instead of the best on dev.")
    ] = False,
) -> None:
    """Write a run as a checkpoint."""
    require_torch()
    from harken.train.export import export as export_run
    from harken.train.run import Run, run_folder

    checkpoint = export_run(Run(run_folder(name)), out, "newest" if newest else "best")
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB, step {checkpoint.facts.get('step')}")


@app.command()
def mean(
    first: Annotated[Path, typer.Argument(help="A checkpoint.")],
    second: Annotated[Path, typer.Argument(help="Another one, of a run that began like it.")],
    out: Annotated[
        Path, typer.Argument(callback=require_place, help="The checkpoint to write (.safetensors).")
    ],
    profile: Annotated[str, typer.Option(help="Profile of both.")] = "mini",
) -> None:
    """Write the mean of the weights of two checkpoints; calibrate it afterwards."""
    from harken.stream import profile_named
    from harken.train.mix import mean as mean_of

    mean_of(first, second, out, profile_named(profile))
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB")


@app.command()
def weaken(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint.")],
    out: Annotated[
        Path, typer.Argument(callback=require_place, help="The checkpoint to write (.safetensors).")
    ],
    strength: Annotated[float, typer.Option(help="How much of its LoRA is left, 0 to 1.")],
    profile: Annotated[str, typer.Option(help="Its profile.")] = "mini",
) -> None:
    """Write a checkpoint nearer to the pretrained decoder, which knows more and decides worse."""
    from harken.stream import profile_named
    from harken.train.mix import weakened

    weakened(checkpoint, strength, out, profile_named(profile))
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB")


def _start(name: str, profile: str) -> Any:
    """The run or the checkpoint of that name."""
    from harken.decide.checkpoint import Checkpoint
    from harken.stream import profile_named
    from harken.train.run import Run, run_folder

    if name.endswith(".safetensors"):
        return Checkpoint.load(Path(name), profile_named(profile))
    return Run(run_folder(name))


def _fields_in(path: Path) -> dict[str, Any]:
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as broken:
        raise HarkenError(
            f"cannot read the configuration {path} ({broken}); give a JSON object of fields"
        ) from broken
    if not isinstance(fields, dict):
        raise HarkenError(f'{path} holds no JSON object; write fields like {{"seed": 1}}')
    return fields


def _train(run: Any, config: Any, data: Path, processes: Any) -> None:
    from harken.train.loop import train
    from harken.train.model import BaseParts

    outcome = train(run, config, data, BaseParts.shipped(), _print_entry, processes)
    processes.leave()
    if processes.rank:
        return
    end = "finished" if outcome.finished else f"stopped; `harken train resume {run.folder.name}`"
    print(f"step {outcome.progress.step}, {outcome.progress.seconds / 60:.1f} min: {end}")
    if not outcome.finished:
        raise typer.Exit(EXIT_INTERRUPTED)


def _print_entry(entry: Mapping[str, Any]) -> None:
    """One line of the log for people: overall, then text loss and hits by task."""
    whole = entry["all"]
    scores = [f"{what} {s['loss']:.3f}/{s['rate']:.0%}" for what, s in whole.items()]
    extra = [
        f"{k} {entry[k]}"
        for k in ("positions_per_s", "peak_share", "balanced_accuracy")
        if k in entry
    ]
    head = f"{entry['kind']:5} step {entry['step']} {entry['done']:.0%}"
    print(head, *extra, *scores, sep="  ", flush=True)
    if entry["kind"] == "dev":
        for task, by_what in entry["tasks"].items():
            told = [f"{what} {s['loss']:.3f}/{s['rate']:.0%}" for what, s in by_what.items()]
            print(f"      {task}", *told, sep="  ", flush=True)


def require_torch(what: str = "training") -> None:
    """Told before anything else is done.

    Raises:
        HarkenError: torch is not installed.
    """
    # Threads that spin at every barrier starve as soon as anything else runs: on a busy machine
    # sleeping ones were measured three times as fast. Read when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    if find_spec("torch") is None:
        raise HarkenError(
            f"{what} needs torch; install it with `pip install 'harken[train]' -c constraints.txt`"
        )


if __name__ == "__main__":
    from harken.cli.app import run as run_app

    sys.exit(run_app(app))
