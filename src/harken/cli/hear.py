"""``harken hear``: what the ears hear, without a decoder: time, level, sounds, words."""

from typing import Annotated

import typer

from harken.cli.inputs import for_each_source, parse_ears, require_one_readable
from harken.cli.models import ready_perception
from harken.cli.show import clock_text, json_line, print_line, sound_fields
from harken.live.replay import with_tail
from harken.live.trace import SoundScore, end_s, top_sounds
from harken.perceive.chunks import chunks_of
from harken.perceive.percept import Percept
from harken.perceive.perception import EARS
from harken.perceive.source import Source

_SHOWN_SCORE = 0.1


def hear(
    files: Annotated[
        list[str],
        typer.Argument(
            help="Recordings of any format; - reads 16-bit little-endian mono PCM at 16 kHz.",
            show_default=False,
        ),
    ],
    ears: Annotated[
        str, typer.Option(help="Which ears listen, of sound, acoustic and words.")
    ] = ",".join(EARS),
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    tail: Annotated[
        float,
        typer.Option(min=0, max=3600, help="Seconds of silence heard after the end."),
    ] = 1.2,
) -> None:
    """Print what the ears hear, one line for each 0.4 s."""
    chosen_ears = parse_ears(ears)
    require_one_readable(files)
    perception = ready_perception(chosen_ears)

    def session(file: str, source: Source) -> None:
        if not json and len(files) > 1:
            print_line(f"hearing {file}")
        samples = (chunk.samples for chunk in with_tail(chunks_of(source), tail))
        for percept in perception.hear_all(samples):
            sounds = top_sounds(perception, percept)
            print_line(_json(file, percept, sounds) if json else _plain(percept, sounds))

    for_each_source(files, session)


def _json(file: str, percept: Percept, sounds: tuple[SoundScore, ...]) -> str:
    return json_line(
        type="chunk",
        file=file,
        chunk=percept.chunk,
        time_s=end_s(percept.chunk),
        level_db=percept.level_db,
        p_speech=percept.p_speech,
        words=percept.text,
        sounds=sound_fields(sounds),
    )


def _plain(percept: Percept, sounds: tuple[SoundScore, ...]) -> str:
    clear = "  ".join(f"{s.name} {s.score:.2f}" for s in sounds if s.score >= _SHOWN_SCORE)
    time = clock_text(end_s(percept.chunk))
    return f"{time:>7}  {percept.level_db:>4.0f} dB  {clear:<44}  {percept.text.strip()}".rstrip()
