"""`harken eval`: the figures of a checkpoint on composed streams."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from harken.errors import HarkenError
from harken.evals.calibrate import ALARM_WEIGHT

app = typer.Typer(help="Figures with their n and 95 % interval.", no_args_is_help=True)


@app.command()
def streams(
    data: Annotated[Path, typer.Argument(help="A data folder made by `harken data build`.")],
    split: Annotated[str, typer.Option(help="dev chooses; a test split is touched once.")] = "dev",
    model: Annotated[Path | None, typer.Option(help="Another checkpoint.")] = None,
    threshold: Annotated[
        float | None,
        typer.Option(help="p(respond) from which it speaks; else the checkpoint's, by policy."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write figures and sessions as JSON.")] = None,
    most: Annotated[int, typer.Option(help="At most so many sessions; 0 for all.")] = 0,
    backlog: Annotated[
        str,
        typer.Option(help="drain: one decision for every 8 chunks, as the published system does."),
    ] = "per-chunk",
    rival: Annotated[
        str | None,
        typer.Option(help="cascade: rules over the same ears and the untrained decoder instead."),
    ] = None,
) -> None:
    """Run every stream of a split through the loop and print what came of it."""
    from harken.evals.metrics import translation_metrics
    from harken.evals.streams import cases
    from harken.evals.suite import figures

    translation_metrics()
    if out:
        _require_folder_of(out)
    session, facts = _rival(rival) if rival else _listener_sessions(model, threshold, backlog)
    chosen = islice(cases(data, split), most or None)
    outcomes = [session(case) for case in chosen]
    found = {name: figure for name, figure in figures(outcomes).items() if figure.n}
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
        record = facts | {
            "figures": {k: asdict(v) for k, v in found.items()},
            "sessions": sessions,
        }
        out.write_text(json.dumps(record, ensure_ascii=False, indent=1), "utf-8")


@app.command()
def calibrate(
    data: Annotated[Path, typer.Argument(help="A data folder made by `harken data build`.")],
    model: Annotated[Path, typer.Argument(help="The checkpoint to calibrate.")],
    out: Annotated[Path, typer.Argument(help="Where to write it, calibrated (.safetensors).")],
    split: Annotated[str, typer.Option(help="Never the streams that are reported.")] = "dev",
    alarm_weight: Annotated[
        float, typer.Option(help="How many missed responses one false alarm is as bad as.", min=0)
    ] = ALARM_WEIGHT,
) -> None:
    """Find the temperature of p(respond) and a threshold for each policy, and store them."""
    from harken.decide.checkpoint import Calibration
    from harken.decide.model import load_listener
    from harken.evals.calibrate import calibration_of, judged
    from harken.evals.streams import cases

    _require_folder_of(out)
    listener = load_listener(model, calibration=Calibration())
    found = calibration_of([judged(c, listener) for c in cases(data, split)], alarm_weight)
    replace(listener.checkpoint, calibration=found).save(out)
    typer.echo(json.dumps(asdict(found)))


@app.command()
def reference(
    data: Annotated[Path, typer.Argument(help="A data folder made by `harken data build`.")],
    split: Annotated[str, typer.Option(help="train, dev or test.")] = "dev",
) -> None:
    """What the pretrained decoder alone makes of the true texts of the same sentences."""
    from harken.evals.metrics import translation_metrics
    from harken.evals.plain_decoder import plain_decoder
    from harken.evals.reference import figures
    from harken.evals.streams import cases

    translation_metrics()
    for name, figure in figures(list(cases(data, split)), plain_decoder(), split).items():
        typer.echo(f"{name:45} {figure}")


def _listener_sessions(
    model: Path | None, threshold: float | None, backlog: str
) -> tuple[Callable[[Any], Any], dict[str, Any]]:
    """How a case is run with a checkpoint, and what is told of it."""
    from harken.decide.model import load_listener, operating_point
    from harken.evals.streams import Case, Outcome, run
    from harken.live.backlog import backlog_rule

    rule, listener = backlog_rule(backlog), load_listener(model)
    checkpoint = listener.checkpoint

    def session(case: Case) -> Outcome:
        point = operating_point(checkpoint, case.prefix.policy, threshold)
        return run(case, listener, point, rule)

    thresholds = threshold or checkpoint.calibration.thresholds
    return session, {"threshold": thresholds, "checkpoint": checkpoint.facts}


def _rival(name: str) -> tuple[Callable[[Any], Any], dict[str, Any]]:
    from harken.evals.cascade.session import run_cascade
    from harken.evals.plain_decoder import plain_decoder

    if name != "cascade":
        raise HarkenError(f"no rival {name!r}; choose cascade")
    decoder = plain_decoder()
    return lambda case: run_cascade(case, decoder), {"rival": name}


def _require_folder_of(out: Path) -> None:
    """Told before minutes of work, not after."""
    if not out.parent.is_dir():
        raise HarkenError(f"there is no folder {out.parent} to write {out.name} to; make it first")
