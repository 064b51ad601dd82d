"""The `harken` command: finds the subcommand, runs it, and turns errors into one line.

Subcommands load when they are called, so `harken --help` costs no more than typer does.
"""

import importlib
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from harken import __version__
from harken.errors import HarkenError

EXIT_BROKEN_PIPE = 1
EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """Where a subcommand lives and what `harken --help` says about it before it is loaded.

    `attribute` of `module` is a `typer.Typer` (a group of commands) or a function (one command).
    """

    module: str
    attribute: str
    summary: str

    def load(self, name: str) -> Any:
        """Import the module and give the command that typer runs."""
        target = getattr(importlib.import_module(self.module), self.attribute)
        if not isinstance(target, typer.Typer):
            function, target = target, typer.Typer(add_completion=False)
            target.command(name)(function)
        command = get_command(target)
        command.name = name
        return command


COMMANDS: Mapping[str, LazyCommand] = {
    # One line for each subcommand, in the order `harken --help` shows them.
    "listen": LazyCommand("harken.cli.listen", "listen", "Listen to audio, and reply."),
    "live": LazyCommand("harken.cli.live", "live", "The same in a page, microphone included."),
    "hear": LazyCommand("harken.cli.hear", "hear", "Print what the ears hear, without replies."),
    "serve": LazyCommand("harken.cli.serve", "serve", "Serve sessions over websockets."),
    "teach": LazyCommand("harken.cli.teach", "teach", "Teach one new sound and its reply."),
    "train": LazyCommand("harken.cli.train", "app", "Train, resume and export checkpoints."),
    "eval": LazyCommand("harken.cli.evaluate", "app", "Figures of a checkpoint."),
    "ablate": LazyCommand("harken.cli.ablate", "ablate", "Train arms of an ablation, compare."),
    "data": LazyCommand("harken.cli.data", "app", "Fetch corpora and compose streams."),
    "parts": LazyCommand("harken.cli.parts", "app", "List, fetch, verify and remove parts."),
}


class _LazyGroup(TyperGroup):
    """A group that shows placeholders in its help and loads the command that is called.

    The commands are in the context's `obj` because typer builds the group itself.
    """

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        commands: Mapping[str, LazyCommand] = ctx.obj
        if name is not None and name in commands:
            command = commands[name].load(name)
        return name, command, rest


def build_app(commands: Mapping[str, LazyCommand] = COMMANDS) -> typer.Typer:
    """The command-line application with these subcommands."""
    app = typer.Typer(
        name="harken",
        cls=_LazyGroup,
        context_settings={"obj": commands, "help_option_names": ["-h", "--help"]},
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.callback()(_common_options)
    for name, command in commands.items():
        app.command(name, help=command.summary)(_placeholder)
    return app


def run(program: Callable[[], object], name: str = "harken") -> int:
    """Run a program on the process's arguments and return its exit code; `name` begins its errors.

    0: done. 1: the reader of our output went away. 2: a usage error or a `HarkenError`, told in
    one line on stderr. 130: interrupted by Ctrl-C. Any other exception is a bug of ours and
    passes through with its traceback.
    """
    try:
        exit_code = _run(program, name)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more when it exits; let that go nowhere instead of failing again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        exit_code = EXIT_BROKEN_PIPE
    return exit_code


def main(commands: Mapping[str, LazyCommand] = COMMANDS) -> int:
    """The console script, with these subcommands."""
    return run(partial(build_app(commands), prog_name="harken"))


def _run(program: Callable[[], object], name: str) -> int:
    try:
        program()
    except HarkenError as error:
        print(f"{name}:", " ".join(str(error).splitlines()), file=sys.stderr)
        return EXIT_USER_ERROR
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return 0


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"harken {__version__}")
        raise typer.Exit()


def _common_options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Listen to a stream of audio and reply when it deserves a reply."""


def _placeholder() -> None:
    """Stands in the help for a command that is not loaded."""
