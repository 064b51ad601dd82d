"""`harken eval calibrate`: what p(respond) must reach, found on dev streams or given."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from harken.cli.bars import counted_bar
from harken.cli.outputs import require_place
from harken.decide.rule import OperatingPoint
from harken.errors import HarkenError
from harken.evals.calibrate import ALARM_WEIGHT
from harken.stream import POLICIES

app = typer.Typer()


@app.command()
def calibrate(
    data: Annotated[Path, typer.Argument(help="A data folder made by `harken data build`.")],
    model: Annotated[Path, typer.Argument(help="The checkpoint to calibrate.")],
    out: Annotated[
        Path,
        typer.Argument(callback=require_place, help="Where to write it (.safetensors)."),
    ],
    split: Annotated[str, typer.Option(help="Never the streams that are reported.")] = "dev",
    alarm_weight: Annotated[
        float, typer.Option(help="How many missed responses one false alarm is as bad as.", min=0)
    ] = ALARM_WEIGHT,
    segments: Annotated[
        int, typer.Option(help="Also its streams joined, so many in one session.", min=1)
    ] = 1,
    threshold: Annotated[
        list[str] | None,
        typer.Option(help="POLICY=P, repeatable: store this one, not the one that is found."),
    ] = None,
) -> None:
    """Find the temperature of p(respond) and a threshold for each policy, and store them."""
    from harken.decide.checkpoint import Calibration
    from harken.decide.model import load_listener
    from harken.evals.calibrate import calibration_of, judged
    from harken.evals.streams import case_of, cases
    from harken.soundflow.joined import in_groups
    from harken.soundflow.rows import rows

    given = _thresholds(threshold or [])
    listener = load_listener(model, calibration=Calibration())
    wholes = in_groups(data, split, segments) if segments > 1 else []
    both = chain(cases(data, split), (case_of(data, row) for row in wholes))
    total = len(wholes) + sum(row["split"] == split for row in rows(data))
    with counted_bar() as bar:
        counted = bar.track(both, total=total, description="sessions")
        found = calibration_of([judged(case, listener) for case in counted], alarm_weight)
    found = replace(found, thresholds={**found.thresholds, **given})
    replace(listener.checkpoint, calibration=found).save(out)
    typer.echo(json.dumps(asdict(found)))


def _thresholds(given: Sequence[str]) -> dict[str, float]:
    """Thresholds by policy from POLICY=P. Raises HarkenError."""
    found = {}
    for each in given:
        policy, _, level = each.partition("=")
        if policy not in POLICIES:
            raise HarkenError(f"no policy {policy!r}; choose from {', '.join(POLICIES)}")
        try:
            found[policy] = OperatingPoint(respond=float(level)).respond
        except ValueError as no_number:
            raise HarkenError(f"{each} names no threshold; write {policy}=0.4") from no_number
    return found
