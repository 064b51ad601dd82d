"""`harken eval`: the figures of a checkpoint on composed streams."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Figures with their n and 95 % interval.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `harken eval streams` a command of its own name."""


@app.command()
def streams(
    data: Annotated[Path, typer.Argument(help="A data folder made by `harken data build`.")],
    split: Annotated[str, typer.Option(help="dev chooses; a test split is touched once.")] = "dev",
    model: Annotated[Path | None, typer.Option(help="Another checkpoint.")] = None,
    threshold: Annotated[
        float | None, typer.Option(help="p(respond) from which it speaks.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write figures and sessions as JSON.")] = None,
    most: Annotated[int, typer.Option(help="At most so many sessions; 0 for all.")] = 0,
) -> None:
    """Run every stream of a split through the loop and print what came of it."""
    from harken.decide.model import load_listener
    from harken.evals.streams import cases, run
    from harken.evals.suite import figures

    listener = load_listener(model)
    point = threshold or listener.checkpoint.calibration.thresholds.get("care", 0.5)
    outcomes = []
    for n, case in enumerate(cases(data, split)):
        if most and n >= most:
            break
        outcomes.append(run(case, listener, point))
    found = figures(outcomes)
    for name, figure in found.items():
        typer.echo(f"{name:45} {figure}")
    if out:
        sessions = [
            {
                "id": o.case.id,
                "task": o.case.task,
                "due": [asdict(d) for d in o.case.due],
                "said": o.said,
                "p_respond": [round(p, 4) for p in o.p_respond],
            }
            for o in outcomes
        ]
        record = {
            "threshold": point,
            "checkpoint": listener.checkpoint.facts,
            "figures": {k: asdict(v) for k, v in found.items()},
            "sessions": sessions,
        }
        out.write_text(json.dumps(record, ensure_ascii=False, indent=1), "utf-8")
