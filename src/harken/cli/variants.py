"""`harken data`: more to learn from than was composed, of the same audio; or less."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from harken.cli.bars import counted_bar

app = typer.Typer()

_Folder = Annotated[Path, typer.Argument(help="A folder made by `harken data build`.")]
_Only = Annotated[list[str] | None, typer.Option(help="Only this task (repeatable).")]


@app.command()
def retell(
    folder: _Folder,
    times: Annotated[int, typer.Option(help="How often each stream.", min=1)] = 3,
    seed: Annotated[int, typer.Option(help="Decides the words.", min=0)] = 0,
    only: _Only = None,
) -> None:
    """Add its streams again with other words in the place of those heard, or moved replies."""
    from harken.soundflow.retell import retell as retell_streams

    _tell(folder, retell_streams(folder, times, seed, only or ()))


@app.command()
def stray(
    folder: _Folder,
    seed: Annotated[int, typer.Option(help="Decides the mistakes.", min=0)] = 0,
    only: _Only = None,
) -> None:
    """Add its streams again with something said out of turn, which is read and not learnt."""
    from harken.soundflow.stray import stray as lead_astray

    _tell(folder, lead_astray(folder, seed, only or ()))


@app.command()
def aloud(
    folder: _Folder,
    seed: Annotated[int, typer.Option(help="Decides which, and when it is heard.", min=0)] = 0,
    only: _Only = None,
) -> None:
    """Add some of its streams again with our own voice behind every reply."""
    from harken.soundflow.aloud import read_aloud

    _tell(folder, read_aloud(folder, seed, only or ()))


@app.command()
def resound(
    folder: _Folder,
    times: Annotated[int, typer.Option(help="How often each stream.", min=1)] = 1,
    seed: Annotated[int, typer.Option(help="Decides the sounds.", min=0)] = 0,
    only: _Only = None,
) -> None:
    """Add its streams again with imagined sounds in the place of those heard; resumable."""
    from harken.soundflow.resound import resound as resound_streams

    with _counting() as progress:
        kept = resound_streams(folder, times, seed, only or (), progress)
    _tell(folder, kept)


@app.command()
def prolong(
    folder: _Folder,
    streams: Annotated[int, typer.Option(help="How many.", min=1)] = 100,
    minutes: Annotated[
        float,
        typer.Option(
            help="Of the longest; 2.6 fill three quarters of the context of the profile mini.",
            min=0.1,
        ),
    ] = 2.6,
    seed: Annotated[int, typer.Option(help="Decides what follows what.", min=0)] = 0,
) -> None:
    """Add long sessions: its streams one after the other, so that orders come late as well."""
    from harken.soundflow.prolong import prolong as join_streams

    with _counting() as progress:
        kept = join_streams(folder, streams, minutes, seed, progress)
    _tell(folder, kept)


@app.command()
def withhold(
    folder: _Folder,
    out: Annotated[Path, typer.Argument(help="A new folder, which points to the features of it.")],
    kind: Annotated[list[str], typer.Option(help="A kind of sound (repeatable).")],
) -> None:
    """Write its list without the training streams in which these kinds of sounds are heard."""
    from harken.soundflow.withhold import withhold as withhold_kinds

    kept, total = withhold_kinds(folder, out, kind)
    typer.echo(f"{kept} of {total} training streams in {out / 'streams.jsonl'}")


@contextmanager
def _counting() -> Iterator[Callable[[int, int], None]]:
    """A bar, and what to call with how many of how many streams are there."""
    with counted_bar() as bar:
        task = bar.add_task("streams", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _tell(folder: Path, kept: int) -> None:
    typer.echo(f"{kept} variants in {folder / 'streams.jsonl'}")
