"""Progress on stderr, so that what a command prints can be piped on."""

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn


def counted_bar() -> Progress:
    """With how many of how many are done, and the time left."""
    return _progress(TextColumn("{task.completed}/{task.total}"), TimeRemainingColumn())


def said_bar() -> Progress:
    """With the text that comes in the field `said`."""
    return _progress(TextColumn("{task.fields[said]}"))


def _progress(*told: ProgressColumn) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), *told, console=Console(stderr=True)
    )
