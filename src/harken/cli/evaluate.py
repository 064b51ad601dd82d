"""`harken eval`: the figures of a checkpoint on composed streams."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from harken.cli.bars import said_bar
from harken.cli.calibrate import app as calibrating
from harken.cli.outputs import require_place, writing
from harken.errors import HarkenError

if TYPE_CHECKING:
    from harken.evals.metrics import Figure
    from harken.evals.streams import Outcome

app = typer.Typer(help="Figures with their n and 95 % interval.", no_args_is_help=True)
app.add_typer(calibrating)

Judge: TypeAlias = tuple[Callable[[Any], Any], dict[str, Any]]
"""How a case is run, and what is told of it."""


def _minutes(help: str) -> Any:
    return typer.Option(help=help, min=0, max=100_000)


_Data = Annotated[Path, typer.Argument(help="A data folder made by `harken data build`.")]
_Split = Annotated[str, typer.Option(help="dev chooses; a test split is touched once.")]
_Model = Annotated[Path | None, typer.Option(help="Another checkpoint.")]
_Rival = Annotated[
    str | None,
    typer.Option(help="cascade: rules over the same ears and the untrained decoder instead."),
]
_Most = Annotated[int, typer.Option(min=0, help="At most so many sessions; 0 for all.")]
_Out = Annotated[
    Path | None,
    typer.Option(
        callback=require_place,
        help="Write figures and sessions as JSON. Killed, the same command goes on.",
    ),
]


@app.command()
def streams(
    data: _Data,
    split: _Split = "dev",
    model: _Model = None,
    threshold: Annotated[
        float | None,
        typer.Option(help="p(respond) from which it speaks; else the checkpoint's, by policy."),
    ] = None,
    out: _Out = None,
    most: _Most = 0,
    backlog: Annotated[
        str,
        typer.Option(help="drain: one decision for every 8 chunks, as the published system does."),
    ] = "per-chunk",
    rival: _Rival = None,
    trained_on: Annotated[
        Path | None,
        typer.Option(help="Data folder of the training: figures by seen and unseen categories."),
    ] = None,
    aloud: Annotated[
        bool, typer.Option("--aloud", help="With our own voice behind every due reply.")
    ] = False,
) -> None:
    """Run every stream of a split through the loop and print what came of it."""
    from harken.evals.metrics import translation_metrics
    from harken.evals.respond_or_ignore import by_category, categories
    from harken.evals.significance import counts_by_audio
    from harken.evals.suite import figures
    from harken.soundflow.aloud import all_aloud
    from harken.soundflow.rows import rows

    translation_metrics()
    groups = categories(rows(trained_on)) if trained_on else {}
    chosen = [row for row in rows(data) if row["split"] == split][: most or None]
    if aloud:
        chosen = all_aloud(chosen)
    _report(
        (data, chosen),
        _judge(model, rival, threshold, backlog),
        out,
        lambda outcomes: figures(outcomes) | by_category(outcomes, groups),
        lambda outcomes: {"counts": counts_by_audio(outcomes)},
    )


@app.command()
def joined(
    data: _Data,
    segments: Annotated[int, typer.Option(help="Streams in one session.", min=1)] = 5,
    split: _Split = "dev",
    model: _Model = None,
    rival: _Rival = None,
    most: _Most = 0,
    out: _Out = None,
) -> None:
    """Streams joined into one session against the same streams alone."""
    from harken.evals.long_sessions import kept, segments_of
    from harken.soundflow.joined import in_groups

    wholes = in_groups(data, split, segments)[: most or None]

    def figures(outcomes: "Sequence[Outcome]") -> "Mapping[str, Figure]":
        groups = [outcomes[n : n + segments + 1] for n in range(0, len(outcomes), segments + 1)]
        parts = [segments_of(whole, [o.case for o in alone]) for whole, *alone in groups]
        return kept(parts, [alone for _, *alone in groups])

    rows = [row for whole in wholes for row in (whole, *whole["parts"])]
    _report((data, rows), _judge(model, rival), out, figures)


@app.command()
def facts(
    data: _Data,
    minutes: Annotated[float, _minutes("Between fact and question.")] = 10,
    split: _Split = "dev",
    model: _Model = None,
    rival: _Rival = None,
    most: _Most = 0,
    out: _Out = None,
) -> None:
    """A fact, then minutes of other streams, then the question for it."""
    from harken.evals.long_sessions import facts as figures
    from harken.soundflow.joined import facts as fact_rows

    later = fact_rows(data, split, minutes)[: most or None]
    short = fact_rows(data, split, 0)[: most or None]
    _report(
        (data, [*later, *short]),
        _judge(model, rival),
        out,
        lambda outcomes: figures(outcomes[: len(later)], outcomes[len(later) :]),
    )


@app.command()
def voice(
    data: _Data,
    minutes: Annotated[float, _minutes("Least length of a session.")] = 5,
    split: _Split = "dev",
    model: _Model = None,
    rival: _Rival = None,
    most: _Most = 0,
    out: _Out = None,
) -> None:
    """What it says to its own voice, per hour of it."""
    from harken.evals.long_sessions import own_voice
    from harken.soundflow.joined import own_voice as voice_rows

    rows = voice_rows(data, split, minutes)[: most or None]

    def hours(outcomes: "Sequence[Outcome]") -> dict[str, Any]:
        return {"hours of its own voice": sum(o.case.playing_hours for o in outcomes)}

    outcomes = _report((data, rows), _judge(model, rival), out, own_voice, hours)
    for name, value in hours(outcomes).items():
        typer.echo(f"{name:45} {value:.3f}")


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


@app.command()
def reference(data: _Data, split: _Split = "dev") -> None:
    """What the pretrained decoder alone makes of the true texts of the same sentences."""
    from harken.evals.metrics import translation_metrics
    from harken.evals.plain_decoder import plain_decoder
    from harken.evals.reference import figures
    from harken.evals.streams import cases

    translation_metrics()
    _print(figures(list(cases(data, split)), plain_decoder(), split))


def _report(
    streams: tuple[Path, Sequence[dict[str, Any]]],
    judge: Judge,
    out: Path | None,
    figures: "Callable[[Sequence[Outcome]], Mapping[str, Figure]]",
    more: "Callable[[Sequence[Outcome]], dict[str, Any]]" = lambda outcomes: {},
) -> "list[Outcome]":
    """Judge every row of a data folder, print the figures, write them, and `more`, to `out`."""
    from harken.evals.judging import Kept, fingerprint, judged

    (data, rows), (session, told) = streams, judge
    if not rows:
        raise HarkenError(
            f"{data} has no stream of that split to judge; compose some with `harken data build`, "
            "or choose another --split"
        )
    about = told | {"streams": fingerprint(rows)}
    with Kept(out.with_name(f"{out.name}.partial"), about) if out else nullcontext() as kept:
        with said_bar() as bar:
            task = bar.add_task("sessions", total=1, said="")
            outcomes = list(
                judged(
                    data,
                    rows,
                    session,
                    kept,
                    lambda at: bar.update(task, completed=at.share, said=at.said()),
                )
            )
        found = {name: figure for name, figure in figures(outcomes).items() if figure.n}
        _print(found)
        if out:
            record = (
                told
                | more(outcomes)
                | {
                    "figures": {name: asdict(figure) for name, figure in found.items()},
                    "sessions": [_session(outcome) for outcome in outcomes],
                }
            )
            with writing(out):
                out.write_text(json.dumps(record, ensure_ascii=False, indent=1), "utf-8")
    return outcomes


def _session(outcome: "Outcome") -> dict[str, Any]:
    return {
        "id": outcome.case.id,
        "task": outcome.case.task,
        "due": [asdict(due) for due in outcome.case.due],
        "said": outcome.said,
        "stopped": outcome.stopped,
        "p_respond": [round(p, 4) for p in outcome.p_respond],
    }


def _print(figures: Mapping[str, Any]) -> None:
    for name, figure in figures.items():
        if figure.n:
            typer.echo(f"{name:45} {figure}")


def _judge(
    model: Path | None,
    rival: str | None,
    threshold: float | None = None,
    backlog: str = "per-chunk",
) -> Judge:
    """How a case is run, by the listener or its rival, and what is told of it."""
    return _rival(rival) if rival else _listener_sessions(model, threshold, backlog)


def _listener_sessions(model: Path | None, threshold: float | None, backlog: str) -> Judge:
    """How a case is run with a checkpoint, and what is told of it."""
    from harken.decide.model import load_listener, operating_point, shipped_checkpoint
    from harken.decide.rule import OperatingPoint
    from harken.evals.streams import Case, Outcome, run
    from harken.live.backlog import backlog_rule
    from harken.parts.cache import sha256_of

    if threshold is not None:
        OperatingPoint(respond=threshold)  # refused before the model is loaded
    rule, listener = backlog_rule(backlog), load_listener(model)
    checkpoint = listener.checkpoint

    def session(case: Case) -> Outcome:
        point = operating_point(checkpoint, case.prefix.policy, threshold)
        return run(case, listener, point, rule)

    thresholds = threshold or checkpoint.calibration.thresholds
    return session, {
        "threshold": thresholds,
        "backlog": backlog,
        "checkpoint": checkpoint.facts,
        "sha256": sha256_of(model or shipped_checkpoint()),
    }


def _rival(name: str) -> Judge:
    from harken.evals.cascade.session import run_cascade
    from harken.evals.plain_decoder import plain_decoder

    if name != "cascade":
        raise HarkenError(f"no rival {name!r}; choose cascade")
    decoder = plain_decoder()
    return lambda case: run_cascade(case, decoder), {"rival": name}
