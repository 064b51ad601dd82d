"""``harken listen``: hear recordings or a pipe, decide every 0.4 s, and reply."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harken.cli.inputs import for_each_source, parse_ears, require_inputs
from harken.cli.models import ready_listener, ready_perception
from harken.cli.show import JsonLines, PlainLines, Show
from harken.cli.sound_device import open_microphone
from harken.cli.view import LiveView
from harken.cli.voice import parse_voice, spoken
from harken.decide.model import operating_point
from harken.decide.rule import OperatingPoint
from harken.live.backlog import backlog_rule
from harken.live.conduct import Conduct
from harken.live.playing import Playing
from harken.live.replay import Interrupted, paced, replay, unpaced
from harken.live.trace import Event, Summary
from harken.perceive.perception import EARS
from harken.perceive.source import STANDARD_INPUT, Source
from harken.stream import POLICIES, Prefix
from harken.stream.policy import DEFAULT_POLICY

_POLICIES_HELP = "When to speak unasked: " + ", ".join(POLICIES) + "."


def listen(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            help="Recordings of any format, each a session of its own; - reads 16-bit "
            "little-endian mono PCM at 16 kHz from standard input.",
            show_default=False,
        ),
    ] = None,
    mic: Annotated[bool, typer.Option("--mic", help="Listen to the microphone.")] = False,
    instruction: Annotated[
        str, typer.Option(help="What to do, for example: Count the barks.", show_default=False)
    ] = "",
    policy: Annotated[str, typer.Option(help=_POLICIES_HELP)] = DEFAULT_POLICY,
    threshold: Annotated[
        float | None,
        typer.Option(help="Reply when p(respond) reaches it, 0 to 1; the model's by default."),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(help="A checkpoint (.safetensors); the shipped one by default."),
    ] = None,
    ears: Annotated[
        str, typer.Option(help="Which ears listen, of sound, acoustic and words.")
    ] = ",".join(EARS),
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    realtime: Annotated[
        bool, typer.Option("--realtime", help="Hear recordings at their own speed.")
    ] = False,
    backlog: Annotated[
        str,
        typer.Option(
            help="per-chunk: a decision at every chunk that waited; drain: one for all of them. "
            "They differ where chunks wait: with --realtime or on standard input."
        ),
    ] = "per-chunk",
    say_once: Annotated[
        float,
        typer.Option(
            min=0,
            help="Withhold a reply that repeats the last one within so many seconds.",
        ),
    ] = 8.0,
    tail: Annotated[
        float,
        typer.Option(min=0, max=3600, help="Seconds of silence heard after the end."),
    ] = 2.0,
    voice: Annotated[
        str | None,
        typer.Option(
            help="Speak the replies: kokoro, espeak, cosyvoice:URL or another (docs/voices.md).",
            show_default=False,
        ),
    ] = None,
    save_voice: Annotated[
        Path | None,
        typer.Option(
            help="Write what --voice says to this recording, at its time in the stream, "
            "instead of playing it.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Listen to recordings, a pipe or the microphone and reply when a moment deserves it."""
    prefix, rule, chosen_ears = Prefix(policy, instruction), backlog_rule(backlog), parse_ears(ears)
    if threshold is not None:
        OperatingPoint(respond=threshold)
    files = files or []
    is_live = mic or STANDARD_INPUT in files
    require_inputs(files, mic)
    speaker = parse_voice(voice, save_voice, sessions=len(files), is_paced=realtime or is_live)
    microphone = open_microphone() if mic else None

    perception = ready_perception(chosen_ears)
    listener = ready_listener(model)
    point = operating_point(listener.checkpoint, policy, threshold)
    conduct = Conduct(prefix, point, rule, say_once_s=say_once)
    show = _show(json, point.respond, is_paced=realtime or is_live)

    def session(file: str, source: Source) -> None:
        is_pipe = mic or file == STANDARD_INPUT
        # A backlog is what waited; nothing waits when the reading keeps to the decoder's pace.
        recorded = unpaced() if backlog == "per-chunk" else unpaced(1)
        show.begin(file)
        summary: Summary | None = None
        playing = Playing()

        def tell(event: Event) -> None:
            show.event(event)
            speak(event)

        try:
            with spoken(speaker, save_voice, playing) as speak:
                summary = replay(
                    source,
                    listener,
                    perception,
                    conduct,
                    on_event=tell,
                    flow=paced() if realtime or is_pipe else recorded,
                    realtime=realtime and not is_pipe,
                    tail_s=tail,
                    playing=playing,
                    hears_itself=is_pipe,
                )
        except Interrupted as stopped:
            summary = stopped.summary
            raise
        finally:
            show.end(summary)

    with show if isinstance(show, LiveView) else nullcontext():
        if microphone:
            with microphone:
                session(microphone.name, microphone)
        else:
            for_each_source(files, session)


def _show(json: bool, threshold: float, *, is_paced: bool) -> Show:
    if json:
        return JsonLines()
    if sys.stdout.isatty():
        return LiveView(Console(highlight=False), threshold, is_paced=is_paced)
    return PlainLines()
