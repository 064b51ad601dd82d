"""The page of a data folder: one HTML file with its figures and streams to play.

The file needs nothing else: style, script, drawings and audio are in it, and its policy
(`Content-Security-Policy`) forbids the browser to ask for anything.
"""

from html import escape
from pathlib import Path
from string import Template
from xml.etree.ElementTree import Element

from harken.errors import HarkenError
from harken.soundflow.corpora import data_text
from harken.soundflow.stats import overview
from harken.soundflow.stats.examples import Example, choose, data_url, read_audio
from harken.soundflow.stats.numbers import Numbers, numbers, source_name
from harken.soundflow.stats.plots import element, short, written
from harken.soundflow.stats.timeline import Moment, drawing, moments, seconds

_HOW_TO_READ = (
    "Words and replies stand at the end of the chunk in which they are heard or due; the thin line "
    "over a reply is what it waits for."
)
_NO_STREAM = "No stream was asked for."
_ICONS = {"go": "M3 1.5v13l11-6.5z", "pause": "M3 2h3.6v12H3zM9.4 2H13v12H9.4z"}


def write_page(folder: Path, out: Path, examples: int = 6) -> None:
    """Write the page of a data folder to the file `out`, with so many streams shown.

    Streams are chosen to cover different tasks; those whose audio was kept can be played.

    Raises:
        HarkenError: `folder` is no data folder or holds no stream, a recording in it is broken,
            `examples` is negative, or `out` cannot be written.
    """
    found = numbers(folder)
    chosen = choose(folder, examples)
    page = Template(data_text("stats.html")).substitute(
        title=escape(folder.resolve().name),
        lead=escape(_lead(found)),
        totals=written(overview.totals(found)),
        plots=written(*overview.plots(found)),
        streams=written(_streams(chosen)),
        sources=written(overview.sources(found)),
        table=written(overview.subtasks(found), overview.every_number(found)),
    )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(page, "utf-8")
    except OSError as refused:
        raise HarkenError(
            f"cannot write the page to {out} ({refused.strerror}); name another file"
        ) from refused


def _lead(found: Numbers) -> str:
    return (
        f"{found.streams:,} streams composed for Harken, each learnt from in one or more variants: "
        "the same audio under another policy or order. A variant says what is due in every chunk "
        "of 0.4 s; mostly that is silence."
    )


def _streams(chosen: list[Example]) -> Element:
    silent = sum(example.audio is None for example in chosen)
    note = "Press play, or click on a timeline to listen from there."
    if silent == len(chosen):
        note = "None of these can be played."
    elif silent:
        note += f" {silent} of them cannot be played."
    return overview.section(
        "Streams to play" if silent < len(chosen) else "Streams to read",
        element("p", f"{note} {_HOW_TO_READ}" if chosen else _NO_STREAM, class_="soft"),
        *(_stream(example, f"stream-{n}") for n, example in enumerate(chosen)),
        name="streams",
    )


def _stream(example: Example, name: str) -> Element:
    row = example.row
    audio = read_audio(example.audio) if example.audio else None
    happened = moments(row)
    playable: list[Element] = []
    if audio is not None:
        playable = [
            element("audio", src=data_url(audio), controls=True, preload="metadata"),
            _player(row["id"], seconds(row)),
            element("p", class_="trouble", role="alert", hidden=True),
        ]
    else:
        playable = [element("p", _why_silent(row), class_="soft")]
    count = f"{len(happened)} moment" + "s" * (len(happened) != 1)
    return element(
        "article",
        element(
            "div",
            element("h3", overview.spaced(row["task"]), id=f"{name}-title"),
            element("code", row["id"]),
            element("span", f"{short(seconds(row))} s, {row['split']}", class_="soft"),
            class_="about",
        ),
        _told(row["prefix"]),
        *playable,
        element(
            "div",
            element(
                "div",
                drawing(row, audio, name),
                element("span", class_="playhead", hidden=True),
                class_="strip",
            ),
            class_="scroll",
            tabindex="0",
            role="region",
            aria_label=f"Timeline of {row['id']}, scrolls sideways",
        ),
        element(
            "details",
            element("summary", f"As a list: {count}"),
            element(
                "ol", *(_listed(m, is_playable=audio is not None) for m in happened),
                class_="moments", tabindex="0", aria_label=f"Moments of {row['id']}",
            ),
        ),
        element("p", f"Made of {_made_of(row['sources'])}.", class_="made soft"),
        class_="stream",
        aria_labelledby=f"{name}-title",
    )  # fmt: skip


def _why_silent(row: dict[str, object]) -> str:
    if "retold" in row:
        return "No audio: other words stand in the place of those that were said."
    if "resound" in row:
        return "No audio: the sounds are imagined."
    return "No audio was kept: build with --keep-audio to see its waveform and play it."


def _told(prefix: dict[str, str]) -> Element:
    policy = element("span", "policy ", element("b", prefix["policy"]))
    order = prefix["instruction"]
    if not order:
        return element("p", policy, ", no standing order in text", class_="told soft")
    quoted = element("q", order, lang=overview.language(order))
    return element("p", policy, ", told ", quoted, class_="told soft")


def _player(name: str, length_s: float) -> Element:
    play, pause = f"Play {name}", f"Pause {name}"
    icons = (
        element(
            "svg", element("path", d=d), viewBox="0 0 16 16", class_=kind, aria_hidden="true"
        )
        for kind, d in _ICONS.items()
    )  # fmt: skip
    return element(
        "div",
        element(
            "button", *icons, type="button", class_="play", aria_label=play, data_play=play,
            data_pause=pause,
        ),
        element(
            "input", type="range", min=0, max=length_s, step=0.01, value=0,
            aria_label=f"Position in {name}",
        ),
        element("output", aria_live="off"),
        class_="player",
        hidden=True,
    )  # fmt: skip


def _listed(moment: Moment, *, is_playable: bool) -> Element:
    at = f"{int(moment.start_s // 60)}:{moment.start_s % 60:04.1f}"
    when = element("span", at)
    if is_playable:
        label = f"Play from {at}"
        at_s = moment.start_s
        when = element("button", at, type="button", data_at=at_s, aria_label=label)
    what = [element("span", moment.text, lang=overview.language(moment.text))]
    if moment.end_s > moment.start_s:
        what.append(element("small", f" to {moment.end_s:.1f} s"))
    if moment.detail:
        what.append(element("small", f" {moment.detail}"))
    kind = element("span", moment.kind, class_="kind")
    return element("li", when, kind, element("span", *what, class_="what"))


def _made_of(sources: list[str]) -> str:
    return ", ".join(dict.fromkeys(map(source_name, sources))) or "nothing listed"
