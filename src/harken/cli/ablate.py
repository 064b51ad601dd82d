"""`harken ablate`: the arms of an ablation trained alike, scored on the same streams, compared."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

from harken.cli.app import EXIT_INTERRUPTED
from harken.cli.outputs import require_place, writing
from harken.errors import HarkenError

if TYPE_CHECKING:
    from harken.decide.listener import Listener
    from harken.evals.paired import Compared
    from harken.soundflow.build import Means
    from harken.soundflow.rehear import Ears
    from harken.train.ablations import Ablation, Arm
    from harken.train.config import TrainConfig
    from harken.train.model import BaseParts
    from harken.train.run import Run

STEPS, STREAMS, DEV_STREAMS = 120, 200, 48
DEV_SHARE = 4
"""One dev stream is composed for so many train streams."""
_HERE_ALONE = ("compute", "threads", "nice")
"""Fields of a configuration that depend on the machine and not on what is asked."""

Counts = dict[str, npt.NDArray[np.float64]]
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """How an ablation is done; equal for all of its arms.

    data: instead of streams composed for it. config: what every arm begins from, without its
    `compute`. streams: to compose. dev_streams, sessions: to score on; 0 sessions for none.
    """

    config: "TrainConfig"
    data: Path | None = None
    streams: int = STREAMS
    dev_streams: int = DEV_STREAMS
    sessions: int = 0
    workers: int = 1


@dataclass(frozen=True, slots=True)
class Equipment:
    """What arms are made with; None stands for Harken's own."""

    parts: "BaseParts"
    listener: Callable[[Path], "Listener"]
    compute: Callable[[], str]
    made_with: "Means | None" = None
    ears: "Ears | None" = None


@dataclass(frozen=True, slots=True)
class Trained:
    """An arm whose run is finished: its run, its data, and where its dev streams came from."""

    arm: "Arm"
    run: "Run"
    data: Path
    dev: Path
    steps: int


def ablate(
    name: Annotated[
        str | None, typer.Argument(help="Which ablation; all are listed without.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="A data folder with both splits; composed in the cache if left out."),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help=f"Of every arm; {STEPS} unless --minutes are given.", min=1)
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="Training time of every arm.")] = None,
    arm: Annotated[
        list[str] | None,
        typer.Option(help="Only this arm beside the baseline (repeatable); all by default."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the order and every random beginning.")] = 0,
    streams: Annotated[
        int, typer.Option(help="How many streams to compose where it composes.", min=1)
    ] = STREAMS,
    dev_streams: Annotated[int, typer.Option(help="How many to score on.", min=1)] = DEV_STREAMS,
    sessions: Annotated[
        int, typer.Option(help="Also run so many dev sessions with every arm.", min=0)
    ] = 0,
    workers: Annotated[int, typer.Option(help="Processes that compose.", min=1)] = 1,
    out: Annotated[
        Path | None, typer.Option(callback=require_place, help="Write everything as JSON.")
    ] = None,
) -> None:
    """Train the arms of an ablation from the pretrained parts, and compare them on dev streams.

    Run again it goes on where it was; arms that are finished are not repeated.
    """
    from harken.train.ablations import ABLATIONS, ablation_named

    if name is None:
        for each in ABLATIONS.values():
            arms = ", ".join(a.name for a in each.arms)
            typer.echo(f"{each.name:9} {each.question} ({arms})")
        return
    chosen = ablation_named(name).only(tuple(arm or ()))
    require(chosen, data, sessions)
    from harken.cli.train import require_torch

    require_torch("an ablation")
    from harken.decide.model import load_listener
    from harken.train.compute import fastest
    from harken.train.config import TrainConfig
    from harken.train.model import BaseParts

    if steps is None and minutes is None:
        steps = STEPS
    # The loop's own dev scores are of all streams together: too little to compare arms by.
    config = TrainConfig(seed=seed, steps=steps, minutes=minutes, dev_streams=0)
    settings = Settings(config, data, streams, dev_streams, sessions, workers)
    found = compare(
        chosen, settings, Equipment(BaseParts.shipped(), load_listener, fastest), typer.echo
    )
    if found is None:
        typer.echo("stopped; the same command goes on")
        raise typer.Exit(EXIT_INTERRUPTED)
    if out:
        with writing(out):
            out.write_text(json.dumps(found, ensure_ascii=False, indent=1), "utf-8")


def require(ablation: "Ablation", data: Path | None, sessions: int) -> None:
    """Refuse what cannot be answered, before anything is composed or trained.

    Raises:
        HarkenError: it composes streams of its own and was given some, or those given are none;
            its arms differ in sessions alone and none are asked for; a metric is missing.
    """
    if data and ablation.composes:
        raise HarkenError(
            f"{ablation.name} is about how streams are composed and makes its own; leave --data "
            "out, and say with --streams how many"
        )
    if data:
        from harken.soundflow.rows import rows

        next(rows(data), None)  # refuses a folder without a list
    if ablation.needs_sessions and not sessions:
        raise HarkenError(
            f"the arms of {ablation.name} differ in sessions alone; give --sessions 60"
        )
    if sessions:
        from harken.evals.metrics import translation_metrics

        translation_metrics()


def compare(
    ablation: "Ablation", settings: Settings, equipment: Equipment, tell: Tell
) -> dict[str, Any] | None:
    """Train what is not trained yet, measure what is not measured yet, print the tables.

    Returns:
        Everything as JSON values; None when a signal stopped a run before its end.
    """
    from harken.evals.paired import compared, table
    from harken.evals.session_counts import MEASURES as OF_SESSIONS
    from harken.train.arms import MEASURES, dev_scores

    trained = []
    for made in _trained(ablation, settings, equipment, tell):
        if made is None:
            return None
        trained.append(made)
    scores = {t.arm.name: dev_scores(t.run, equipment.parts, settings.dev_streams) for t in trained}
    rows = compared(MEASURES, scores)
    tell(table(rows))
    found: dict[str, Any] = {
        "ablation": ablation.name,
        "question": ablation.question,
        "settings": {
            "data": str(settings.data) if settings.data else "composed",
            "config": asdict(settings.config),
            "streams": settings.streams,
            "dev_streams": settings.dev_streams,
            "sessions": settings.sessions,
        },
        "arms": [
            {"arm": asdict(t.arm), "run": t.run.folder.name, "steps": t.steps} for t in trained
        ],
        "figures": _plain(rows),
    }
    if settings.sessions:
        counts, figures = {}, {}
        for t in trained:
            counts[t.arm.name], figures[t.arm.name] = _sessions(t, settings, equipment, tell)
        rows = compared(OF_SESSIONS, counts)
        tell(table(rows))
        found |= {"sessions": _plain(rows), "suite": figures}
    steps = ", ".join(f"{t.arm.name} {t.steps}" for t in trained)
    tell(f"steps from the pretrained parts, one seed: {steps}")
    return found


def _trained(
    ablation: "Ablation", settings: Settings, equipment: Equipment, tell: Tell
) -> Iterator[Trained | None]:
    """Every arm when it is finished; None for one that was stopped."""
    from harken.soundflow.views import write_view
    from harken.train.ablations import AS_IT_IS, run_name
    from harken.train.arms import train_arm
    from harken.train.run import Run, run_folder

    dev = _source(ablation.dev, "dev", settings, equipment, tell)
    prepared = []
    for arm in ablation.arms:
        train = _source(arm.composition, "train", settings, equipment, tell)
        data = train
        if train != dev or arm.view != AS_IT_IS:
            data = write_view(arm.view, train, dev, _folder() / "views", equipment.ears)
        config = replace(settings.config, **arm.fields)
        run = Run(run_folder(run_name(ablation, arm, _fingerprint(config, data))))
        prepared.append((arm, config, data, run))
    begun = [run.describe()[0].compute for *_, run in prepared if run.exists]
    compute = begun[0] if begun else equipment.compute()
    for arm, config, data, run in prepared:

        def report(entry: Mapping[str, Any], arm: "Arm" = arm) -> None:
            losses = [f"{what} {s['loss']:.3f}" for what, s in entry["all"].items()]
            tell(f"{ablation.name} {arm.name}: step {entry['step']}  {'  '.join(losses)}")

        steps = train_arm(
            run,
            replace(config, compute=compute),
            data,
            equipment.parts,
            beginning=arm.beginning,
            report=report,
        )
        yield None if steps is None else Trained(arm, run, data, dev, steps)


def _source(
    composition: str,
    split: str,
    settings: Settings,
    equipment: Equipment,
    tell: Tell,
) -> Path:
    """The user's folder, or one in the cache: its split is composed now as far as it is not yet."""
    if settings.data:
        return settings.data
    from harken.soundflow.compositions import compose
    from harken.soundflow.production import Progress

    def progress(at: Progress) -> None:
        if at.streams % 10 == 0:
            tell(f"composing {composition} {split}: {at.streams} streams, {at.share:.0%}")

    folder = _folder() / "streams" / composition
    wanted = settings.streams if split == "train" else -(-settings.streams // DEV_SHARE)
    compose(
        composition,
        folder,
        split,
        wanted,
        workers=settings.workers,
        progress=progress,
        made_with=equipment.made_with,
    )
    return folder


def _sessions(
    trained: Trained, settings: Settings, equipment: Equipment, tell: Tell
) -> tuple[Counts, dict[str, Any]]:
    """Counts by session and the figures of the suite; kept in the run's folder."""
    arm, run = trained.arm, trained.run
    kept = run.folder / f"sessions-{arm.backlog}-{settings.sessions}-{trained.steps}.json"
    if not kept.exists():
        tell(f"running {settings.sessions} sessions with {arm.name}")
        content = json.dumps(_session_figures(trained, settings, equipment))
        partial = kept.with_suffix(".partial")
        partial.write_text(content, "utf-8")
        partial.replace(kept)
    stored = json.loads(kept.read_text("utf-8"))
    return {name: np.array(row) for name, row in stored["counts"].items()}, stored["figures"]


def _session_figures(trained: Trained, settings: Settings, equipment: Equipment) -> dict[str, Any]:
    from harken.decide.model import operating_point
    from harken.evals.session_counts import on_the_clock, session_counts
    from harken.evals.streams import cases, run
    from harken.evals.suite import figures
    from harken.live.backlog import backlog_rule
    from harken.train.export import export

    arm, path = trained.arm, trained.run.folder / "newest.safetensors"
    checkpoint = export(trained.run, path, "newest")
    listener, rule = equipment.listener(path), backlog_rule(arm.backlog)
    # Views keep the rows of dev in their order, so the two run side by side.
    both = zip(cases(trained.data, "dev"), cases(trained.dev, "dev"), strict=True)
    outcomes = []
    for case, original in islice(both, settings.sessions):
        point = operating_point(checkpoint, case.prefix.policy)
        outcome = run(case, listener, point, rule)
        outcomes.append(on_the_clock(outcome, original, arm.step_samples))
    return {
        "counts": {o.case.id: session_counts(o).tolist() for o in outcomes},
        "figures": {n: asdict(f) for n, f in figures(outcomes).items() if f.n},
    }


def _fingerprint(config: "TrainConfig", data: Path) -> str:
    """Of what an arm learns from and how: runs of other settings do not get in each other's way."""
    fields = {k: v for k, v in asdict(config).items() if k not in _HERE_ALONE}
    listed = sha256((data / "streams.jsonl").read_bytes()).hexdigest()
    return sha256(f"{json.dumps(fields, sort_keys=True)} {listed}".encode()).hexdigest()[:8]


def _folder() -> Path:
    from harken.parts.cache import cache_dir

    return cache_dir() / "ablations"


def _plain(rows: "list[Compared]") -> list[dict[str, Any]]:
    return [asdict(row) for row in rows]
