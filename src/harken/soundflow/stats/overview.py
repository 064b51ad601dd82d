"""The figures of a data folder as sections of its page: totals, plots, sources, every number."""

import statistics
from collections import defaultdict
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from harken.soundflow.stats.counts import CHUNK_S, TaskCounts
from harken.soundflow.stats.numbers import Numbers
from harken.soundflow.stats.plots import Bar, bars, element, histogram, legend, short
from harken.soundflow.stats.timeline import UNNAMED

_SOUNDS_SHOWN, _WORDS_SHOWN = 20, 40
_WORD_LEAST_LETTERS = 4
_REPLIES_SHOWN = 3
_HAN_FROM = "\u3400"
_NONE = "\u2013"


def totals(found: Numbers) -> Element:
    """The sums, as a list of terms."""
    kinds = [
        f"{many:,} {what}"
        for many, what in ((found.retold, "retold"), (found.imagined, "with imagined sounds"))
        if many
    ]
    return element(
        "dl",
        _total("Streams", f"{found.streams:,}", f"{hours_text(found.stream_hours)} of audio"),
        _total("Variants", f"{found.variants:,}", ", ".join(kinds) or "all as composed"),
        _total("Hours", f"{found.hours:.2f}", "of all variants"),
        _total("Replies due", f"{found.replies:,}", f"{_a_minute(found.replies, found.hours)}"),
        _total("Words heard", f"{found.words.total():,}", f"{len(found.words):,} different"),
        _total(
            "Splits",
            str(len(found.splits)),
            ", ".join(f"{many:,} of {split}" for split, many in found.splits.items()),
        ),
        class_="totals",
    )


def plots(found: Numbers) -> Iterator[Element]:
    """The plots, two beside each other where there is room."""
    yield element("div", _hours_by_task(found), _replies_by_task(found), class_="pair")
    column = element("div", _lengths(found), _words(found), class_="column")
    yield element("div", _sounds(found), column, class_="pair")


def sources(found: Numbers) -> Element:
    """What the streams are made of, under which licence."""
    rows = [
        element(
            "tr",
            element("th", source.name, scope="row", class_="text"),
            element("td", source.licence, class_="text"),
            element("td", source.version or _NONE, class_="whole"),
            element("td", f"{source.clips:,}" if source.clips else _NONE, class_="number"),
            element("td", f"{source.streams:,}", class_="number"),
        )
        for source in found.sources
    ]
    head = ("source", "licence", "version", "*recordings", "*streams")
    return section(
        "Sources and licences",
        element(
            "p",
            "Weights trained on this folder carry the attribution of all of them. The copyright "
            "note of each package lies beside its recordings.",
            class_="soft",
        ),
        table(head, rows, "Sources and licences"),
    )


def every_number(found: Numbers) -> Element:
    """The table that `harken data stats` prints."""
    rows = [
        element(
            "tr",
            element("th", split, scope="row"),
            element("td", spaced(name), class_="whole"),
            *(
                element("td", number, class_="number")
                for number in (
                    f"{task.variants:,}",
                    f"{task.retold:,}",
                    f"{task.hours:.2f}",
                    f"{task.replies.total():,}",
                )
            ),
            element("td", _often(task), class_="text"),
        )
        for (split, name), task in found.by_task.items()
    ]
    head = ("split", "task", "*variants", "*retold", "*hours", "*replies", "most often due")
    return section("Every number", table(head, rows, "Counts by split and task"))


def subtasks(found: Numbers) -> Element:
    """What of the sub-tasks is there, capability by capability."""
    held = sum(counted.variants > 0 for _, counted in found.by_subtask)
    rows = [
        element(
            "tr",
            element("th", spaced(subtask.name), scope="row", class_="whole"),
            element("td", subtask.capability, class_="text"),
            element("td", f"{counted.variants:,}", class_="number"),
            element("td", f"{counted.hours:.2f}", class_="number"),
            element("td", f"{counted.replies.total():,}", class_="number"),
        )
        for subtask, counted in found.by_subtask
    ]
    head = ("sub-task", "capability", "*variants", "*hours", "*replies")
    return section(
        "Sub-tasks",
        element("p", f"{held} of {len(found.by_subtask)}", class_="soft"),
        table(head, rows, "Counts by sub-task"),
    )


def _often(task: TaskCounts) -> str:
    return " · ".join(text for text, _ in task.replies.most_common(_REPLIES_SHOWN))


def section(title: str, *content: Element | None, name: str | None = None) -> Element:
    """A section under its title; `name` is what a link leads to."""
    return element("section", element("h2", title), *content, id=name)


def table(head: tuple[str, ...], rows: list[Element], name: str) -> Element:
    """A table that scrolls sideways where it is too wide; `*` before a title: of numbers."""
    titles = (
        element("th", t.removeprefix("*"), scope="col", class_="number" if t[0] == "*" else None)
        for t in head
    )
    return element(
        "div",
        element(
            "table",
            element("thead", element("tr", *titles)),
            element("tbody", *rows),
            class_="table",
        ),
        class_="wide",
        tabindex="0",
        role="region",
        aria_label=name,
    )


def spaced(name: str) -> str:
    """The name of a task or label as words."""
    return name.replace("_", " ")


def hours_text(hours: float) -> str:
    """Hours, or minutes where that says more."""
    return f"{hours:,.1f} h" if hours >= 1 else f"{hours * 60:.1f} min"


def _a_minute(replies: int, hours: float) -> str:
    return f"{replies / hours / 60:.1f} a minute" if hours else _NONE


def _total(what: str, figure: str, more: str) -> Element:
    return element(
        "div",
        element("dt", what),
        element("dd", figure, class_="figure"),
        element("dd", more, class_="more"),
    )


def _by_task(found: Numbers) -> dict[str, dict[str, tuple[float, int]]]:
    """Hours and replies by task, then by split."""
    by_task: dict[str, dict[str, tuple[float, int]]] = defaultdict(dict)
    for (split, name), task in found.by_task.items():
        by_task[name][split] = task.hours, task.replies.total()
    return by_task


def _hours_by_task(found: Numbers) -> Element:
    splits = sorted(found.splits, key=lambda split: (-found.splits[split], split))
    rows = []
    for name, by_split in _by_task(found).items():
        parts = tuple(by_split.get(split, (0.0, 0))[0] for split in splits)
        share = sum(parts) / found.hours if found.hours else 0.0
        rows.append((share, Bar(spaced(name), parts, f"{share:.1%}")))
    return section(
        "Share of the hours by task",
        legend(splits) if len(splits) > 1 else None,
        bars(("task", "share of the hours"), _descending(rows)),
    )


def _replies_by_task(found: Numbers) -> Element:
    rows = []
    for name, by_split in _by_task(found).items():
        hours, replies = (sum(column) for column in zip(*by_split.values(), strict=True))
        rate = replies / hours / 60 if hours else 0.0
        rows.append((rate, Bar(spaced(name), (rate,), f"{rate:.1f}")))
    return section("Replies a minute by task", bars(("task", "replies"), _descending(rows)))


def _descending(rows: list[tuple[float, Bar]]) -> list[Bar]:
    return [bar for _, bar in sorted(rows, key=lambda row: (-row[0], row[1].label))]


def _sounds(found: Numbers) -> Element:
    shown = found.sounds[:_SOUNDS_SHOWN]
    if not shown:
        return section("Most frequent sounds", element("p", "No sound is placed.", class_="soft"))
    rest = len(found.sounds) - len(shown)
    rows = [
        Bar(
            spaced(sound.label) or UNNAMED,
            (sound.heard, sound.imagined),
            f"{sound.heard:,}" + (f" + {sound.imagined:,}" if sound.imagined else ""),
        )
        for sound in shown
    ]
    has_imagined = any(sound.imagined for sound in found.sounds)
    return section(
        "Most frequent sounds",
        legend(("heard", "imagined (in streams with such sounds)")) if has_imagined else None,
        bars(("sound", "how often"), rows),
        element("p", f"and {rest:,} other labels", class_="soft") if rest else None,
    )


def _lengths(found: Numbers) -> Element:
    lengths = {n * CHUNK_S: many for n, many in sorted(found.chunks.items())}
    middle = statistics.median_low(found.chunks.elements()) * CHUNK_S
    return section(
        "Lengths of the streams",
        element(
            "p",
            f"{short(min(lengths))} to {short(max(lengths))} s, half of them up to "
            f"{short(middle)} s",
            class_="soft",
        ),
        histogram(lengths, "s", "streams"),
    )


def _words(found: Numbers) -> Element:
    """Short words are the same in every folder; a Chinese character says more than a letter."""
    frequent = [
        (word, many)
        for word, many in sorted(found.words.items(), key=lambda kv: (-kv[1], kv[0]))
        if len(word) >= _WORD_LEAST_LETTERS or word >= _HAN_FROM
    ][:_WORDS_SHOWN]
    if not frequent:
        return section("Words heard", element("p", "No word is heard.", class_="soft"))
    return section(
        "Words heard",
        element(
            "p",
            f"The most frequent of {_WORD_LEAST_LETTERS} letters or more, and Chinese characters",
            class_="soft",
        ),
        element(
            "ul",
            *(
                element("li", word, element("small", f"{many:,}"), lang=language(word))
                for word, many in frequent
            ),
            class_="words",
        ),
    )


def language(text: str) -> str | None:
    """`zh` for a text with Chinese characters, so that it is read aloud as such."""
    return "zh" if any(_HAN_FROM <= c <= "\u9fff" for c in text) else None
