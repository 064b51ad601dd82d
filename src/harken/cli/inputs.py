"""What the listening commands share: their files, their ears, and going on after a broken one."""

import sys
from collections.abc import Callable, Sequence

import typer

from harken.cli.app import EXIT_USER_ERROR
from harken.errors import HarkenError
from harken.perceive.perception import EARS
from harken.perceive.source import STANDARD_INPUT, Source, open_source


def parse_ears(names: str) -> tuple[str, ...]:
    """Ears from a list such as "sound,words", each once; an unknown one is a HarkenError."""
    ears = tuple(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    unknown = [ear for ear in ears if ear not in EARS]
    if unknown or not ears:
        raise HarkenError(
            f"no ear {unknown[0] if unknown else ''!r}; give --ears one or more of {','.join(EARS)}"
        )
    return ears


def warn(message: str) -> None:
    """One line on stderr."""
    print("harken:", " ".join(message.splitlines()), file=sys.stderr, flush=True)


def require_one_readable(files: Sequence[str]) -> None:
    """Refuse before anything is loaded or fetched when not one of the files can be heard."""
    if files.count(STANDARD_INPUT) > 1:
        raise HarkenError("standard input (-) is named twice; it can be heard once")
    refusals = [refusal for file in files if (refusal := _refusal(file)) is not None]
    if len(refusals) < len(files):
        return
    for refusal in refusals:
        warn(str(refusal))
    raise typer.Exit(EXIT_USER_ERROR)


def require_inputs(files: Sequence[str], mic: bool) -> None:
    """Refuse no input at all, two kinds of it, or files of which none can be heard."""
    if mic and files:
        raise HarkenError(f"--mic listens to the microphone alone; leave {files[0]} out")
    if not mic and not files:
        raise HarkenError("nothing to listen to; name a recording, - for a pipe, or --mic")
    if files:
        require_one_readable(files)


def for_each_source(files: Sequence[str], work: Callable[[str, Source], None]) -> None:
    """Work on one file after the other; a broken one is told on stderr and the next one begins.

    Raises typer.Exit with the code of a user's error at the end, when any was broken.
    """
    is_broken = False
    for file in files:
        try:
            with open_source(file) as source:
                work(file, source)
                for warning in source.warnings:
                    warn(warning)
        except HarkenError as error:
            warn(str(error))
            is_broken = True
    if is_broken:
        raise typer.Exit(EXIT_USER_ERROR)


def _refusal(file: str) -> HarkenError | None:
    if file == STANDARD_INPUT:
        return None
    try:
        open_source(file).close()
    except HarkenError as error:
        return error
    return None
