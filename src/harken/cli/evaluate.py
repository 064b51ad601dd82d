"""`harken eval`: the figures of a checkpoint on composed streams."""

import json
from collections.abc import Callable, Mapping
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
    trained_on: Annotated[
        Path | None,
        typer.Option(help="Data folder of the training: figures by seen and unseen categories."),
    ] = None,
) -> None:
    """Run every stream of a split through the loop and print what came of it."""
    from harken.evals.metrics import translation_metrics
    from harken.evals.significance import counts_by_audio
    from harken.evals.streams import cases
    from harken.evals.suite import by_category, categories, figures
    from harken.soundflow.rows import rows

    translation_metrics()
    if out:
        _require_folder_of(out)
    groups = categories(rows(trained_on)) if trained_on else {}
    session, facts = _sessions(model, rival, threshold, backlog)
    chosen = islice(cases(data, split), most or None)
    outcomes = [session(case) for case in chosen]
    all_figures = figures(outcomes) | by_category(outcomes, groups)
    found = {name: figure for name, figure in all_figures.items() if figure.n}
    _print(found)
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
            "counts": counts_by_audio(outcomes),
            "figures": {k: asdict(v) for k, v in found.items()},
            "sessions": sessions,
        }
        out.write_text(json.dumps(record, ensure_ascii=False, indent=1), "utf-8")


_Data = Annotated[Path, typer.Argument(help="A data folder made by `harken data build`.")]
_Split = Annotated[str, typer.Option(help="train, dev or test.")]
_Model = Annotated[Path | None, typer.Option(help="Another checkpoint.")]
_Rival = Annotated[str | None, typer.Option(help="cascade instead of the listener.")]
_Most = Annotated[int, typer.Option(help="At most so many joined sessions; 0 for all.")]


@app.command()
def joined(
    data: _Data,
    segments: Annotated[int, typer.Option(help="Streams in one session.", min=1)] = 5,
    split: _Split = "dev",
    model: _Model = None,
    rival: _Rival = None,
    most: _Most = 0,
) -> None:
    """Streams joined into one session against the same streams alone."""
    from harken.evals.long_sessions import kept, segments_of
    from harken.evals.streams import case_of
    from harken.soundflow.joined import in_groups

    rows = in_groups(data, split, segments)[: most or None]
    session, _ = _sessions(model, rival)
    whole, alone = [], []
    for row in rows:
        parts = [case_of(data, part) for part in row["parts"]]
        whole.append(segments_of(session(case_of(data, row)), parts))
        alone.append([session(part) for part in parts])
    _print(kept(whole, alone))


@app.command()
def facts(
    data: _Data,
    minutes: Annotated[float, typer.Option(help="Between fact and question.", min=0)] = 10,
    split: _Split = "dev",
    model: _Model = None,
    rival: _Rival = None,
    most: _Most = 0,
) -> None:
    """A fact, then minutes of other streams, then the question for it."""
    from harken.evals.long_sessions import facts as figures
    from harken.evals.streams import case_of
    from harken.soundflow.joined import facts as fact_rows

    rows = fact_rows(data, split, minutes)[: most or None]
    short = fact_rows(data, split, 0)[: most or None]
    session, _ = _sessions(model, rival)
    later, alone = ([session(case_of(data, row)) for row in group] for group in (rows, short))
    _print(figures(later, alone))


@app.command()
def voice(
    data: _Data,
    minutes: Annotated[float, typer.Option(help="Least length of a session.", min=0)] = 5,
    split: _Split = "dev",
    model: _Model = None,
    rival: _Rival = None,
    most: _Most = 0,
) -> None:
    """What it says to its own voice, per hour of it."""
    from harken.evals.long_sessions import own_voice
    from harken.evals.streams import case_of
    from harken.soundflow.joined import own_voice as voice_rows

    rows = voice_rows(data, split, minutes)[: most or None]
    session, _ = _sessions(model, rival)
    outcomes = [session(case_of(data, row)) for row in rows]
    _print(own_voice(outcomes))
    typer.echo(f"{'hours of its own voice':45} {sum(o.case.playing_hours for o in outcomes):.3f}")


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(help="Written by `harken eval streams --out`.")],
    second: Annotated[Path, typer.Argument(help="The same of another run on the same streams.")],
) -> None:
    """Two runs on the same streams: differences, intervals, p values."""
    from harken.evals.significance import counts_of, report

    arms = {}
    for path in (first, second):
        try:
            record = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as broken:
            raise HarkenError(
                f"{path} cannot be read ({broken}); give files of `harken eval streams --out`"
            ) from broken
        arms[str(path)] = counts_of(record, str(path))
    if len(arms) < 2:
        raise HarkenError(f"{first} is compared with itself; give two files")
    for line in report(arms):
        typer.echo(line)


def _print(figures: Mapping[str, Any]) -> None:
    for name, figure in figures.items():
        if figure.n:
            typer.echo(f"{name:45} {figure}")


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
    _print(figures(list(cases(data, split)), plain_decoder(), split))


def _sessions(
    model: Path | None,
    rival: str | None,
    threshold: float | None = None,
    backlog: str = "per-chunk",
) -> tuple[Callable[[Any], Any], dict[str, Any]]:
    """How a case is run, by the listener or its rival, and what is told of it."""
    return _rival(rival) if rival else _listener_sessions(model, threshold, backlog)


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
