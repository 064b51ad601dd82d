"""``harken parts``: list, fetch, verify and remove the pretrained parts."""

from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

import harken.parts.fetch as parts_fetch
from harken.parts.cache import cache_dir, part_dir, readable_bytes
from harken.parts.catalogue import LISTEN_PARTS, PARTS, Part, find_part
from harken.parts.status import State, sources, state

app = typer.Typer(help="The pretrained parts in the cache.", no_args_is_help=True)

Names = Annotated[
    list[str] | None,
    typer.Argument(help="Names of parts, as `harken parts list` shows them.", show_default=False),
]


@app.command("list")
def list_parts() -> None:
    """Show every part: size, state in the cache, licence, and where its bytes come from."""
    table = Table("part", "size", "state", "licence", box=None)
    table.add_column("source", overflow="fold")
    for column in table.columns[:4]:
        column.no_wrap = True
    for part in PARTS:
        table.add_row(
            part.name + ("" if part.name in LISTEN_PARTS else " (optional)"),
            readable_bytes(part.bytes),
            state(part.name).value,
            part.licence,
            _source(part),
        )
    console = Console()
    console.print(table)
    console.print(f"The cache is {cache_dir()}", highlight=False, soft_wrap=True)
    for part in PARTS:
        if part.licence_note:
            console.print(f"{part.name}: {part.licence_note}", highlight=False, soft_wrap=True)


@app.command()
def fetch(names: Names = None) -> None:
    """Fetch parts into the cache; without names, those that `harken listen` needs."""
    wanted = [find_part(name) for name in names or LISTEN_PARTS]
    # Bars go to stderr, so that what is printed at the end can be piped.
    with PartBars() as bars:
        for part in wanted:
            parts_fetch.fetch(part.name, progress=bars.report)
    for part in wanted:
        typer.echo(f"{part.name}: verified, in {part_dir(part.name)}")


@app.command()
def verify(names: Names = None) -> None:
    """Hash parts again and compare; without names, those that are in the cache."""
    wanted = [find_part(name) for name in names] if names else _present()
    if not wanted:
        typer.echo("no part is in the cache; run: harken parts fetch")
    for part in wanted:
        parts_fetch.verify(part.name)
        typer.echo(f"{part.name}: verified")


@app.command()
def remove(
    names: Annotated[list[str], typer.Argument(help="Names of parts.", show_default=False)],
) -> None:
    """Delete parts and their unfinished downloads from the cache."""
    for part in [find_part(name) for name in names]:
        folder = parts_fetch.remove(part.name)
        typer.echo(f"{part.name}: {'removed' if folder else 'was not in the cache'}")


class PartBars:
    """A progress bar for each part on stderr, fed by the callback of ``parts.fetch``.

    Shown on a terminal only; elsewhere it stays silent.
    """

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._done_bytes: dict[str, dict[str, int]] = {}

    def __enter__(self) -> "PartBars":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def report(self, part_name: str, file_name: str, done_bytes: int, total_bytes: int) -> None:
        """Take one report of ``harken.parts.fetch``; sizes in bytes."""
        if part_name not in self._tasks:
            self._tasks[part_name] = self._progress.add_task(f"fetching {part_name}", total=0)
            self._done_bytes[part_name] = {}
        files = self._done_bytes[part_name]
        if file_name not in files:
            # The bar is as long as what is fetched, which may be less than the whole part.
            grown = (self._progress.tasks[self._tasks[part_name]].total or 0) + total_bytes
            self._progress.update(self._tasks[part_name], total=grown)
        files[file_name] = done_bytes
        self._progress.update(self._tasks[part_name], completed=sum(files.values()))


def _present() -> list[Part]:
    return [part for part in PARTS if state(part.name) is not State.ABSENT]


def _source(part: Part) -> str:
    """Where the bytes came from, or for an absent part where they are asked for first."""
    known = sources(part.name)
    if not known:
        return part.files[0].official.rsplit("/resolve/", 1)[0]
    return known[0] if len(known) == 1 else f"{known[0]} and {len(known) - 1} more"
