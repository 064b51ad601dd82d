"""The live view of a session on a terminal: what is heard below, what is said above it."""

import threading
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Self

from rich.console import Console, ConsoleRenderable, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from harken.cli.show import clock_text, compaction_text, cut_text, reply_text, summary_text
from harken.live.trace import (
    CHUNK_S,
    ChunkTrace,
    CompactionTrace,
    Event,
    FlushTrace,
    ResponseTrace,
    Summary,
    TextPiece,
    end_s,
)

_BAR_CELLS = 24
_QUIET_DB, _LOUD_DB = -60.0, 0.0
_WORDS_KEPT = 200
_RECENT_CHUNKS = 25
_SHOWN_SCORE = 0.1


@dataclass(slots=True)
class _Seen:
    """What the view shows of the current session."""

    file: str = ""
    chunk: ChunkTrace | None = None
    words: str = ""
    saying: str = ""
    latency_ms: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT_CHUNKS))


class LiveView:
    """A few lines that follow the session; replies scroll by above them."""

    def __init__(self, console: Console, threshold: float, *, is_paced: bool) -> None:
        self._console, self._threshold, self._is_paced = console, threshold, is_paced
        self._lock = threading.Lock()  # the refreshing thread reads what the decoder's writes
        self._seen = _Seen()
        self._live = Live(
            get_renderable=self.renderable, console=console, refresh_per_second=12, transient=True
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def begin(self, file: str) -> None:
        with self._lock:
            self._seen = _Seen(file)
        self._console.print(Text(f"listening to {file}", style="bold"))

    def event(self, event: Event) -> None:
        with self._lock:
            match event:
                case ChunkTrace():
                    self._seen.chunk = event
                    self._seen.words = (self._seen.words + event.words)[-_WORDS_KEPT:]
                    self._seen.latency_ms.append(event.latency_ms)
                case TextPiece():
                    self._seen.saying += event.text
                case ResponseTrace():
                    self._seen.saying = ""
        match event:
            case ResponseTrace():
                self._say(event.time_s, reply_text(event), "bold green")
            case FlushTrace():
                self._say(end_s(event.chunk), f"cut {cut_text(event)}", "dim")
            case CompactionTrace():
                self._say(event.chunk * CHUNK_S, f"context {compaction_text(event)}", "dim")

    def end(self, summary: Summary | None) -> None:
        with self._lock:
            self._seen = _Seen()
        if summary is not None:
            self._console.print(Text(summary_text(summary), style="dim"))

    def _say(self, time_s: float, text: str, style: str) -> None:
        line = Table.grid(padding=(0, 2))
        line.add_row(Text(clock_text(time_s), style="dim"), Text(text, style=style))
        self._console.print(line)

    def renderable(self) -> ConsoleRenderable:
        with self._lock:
            seen = replace(self._seen, latency_ms=self._seen.latency_ms.copy())
        if seen.chunk is None:
            return Text(f"listening to {seen.file} …" if seen.file else "", style="dim")
        rows = Table.grid(padding=(0, 2))
        rows.add_column(style="dim", justify="right")
        rows.add_column(no_wrap=True, overflow="ellipsis")
        rows.add_row("time", self._pace(seen.chunk, seen.latency_ms))
        rows.add_row("level", _level(seen.chunk.level_db))
        rows.add_row("sounds", _sounds(seen.chunk))
        room = max(10, self._console.width - 14)
        rows.add_row("words", Text(_newest(seen.words, room)))
        rows.add_row("respond", self._respond(seen.chunk))
        saying = Text(f"… {' '.join(seen.saying.split())}" if seen.saying else "", style="green")
        return Group(saying, rows)

    def _pace(self, chunk: ChunkTrace, latency_ms: Collection[float]) -> Text:
        mean_s = sum(latency_ms) / len(latency_ms) / 1000
        parts = [clock_text(chunk.time_s), f"{chunk.latency_ms:.0f} ms a chunk"]
        if self._is_paced:
            parts[1] = f"{chunk.latency_ms:.0f} ms behind"
            parts += [f"{chunk.queued} waiting"] if chunk.queued else []
        parts.append(f"real-time factor {mean_s / CHUNK_S:.2f}")
        return Text("   ".join(parts))

    def _respond(self, chunk: ChunkTrace) -> Text:
        filled = round(chunk.p_respond * _BAR_CELLS)
        mark = min(_BAR_CELLS - 1, round(self._threshold * _BAR_CELLS))
        bar = _bar(filled, "green" if chunk.p_respond >= self._threshold else "blue")
        bar.append(f"  {chunk.p_respond:.2f}  {chunk.decision}")
        plain = bar.plain
        marked = Text(plain[:mark] + "│" + plain[mark + 1 :], spans=bar.spans)
        marked.stylize("yellow", mark, mark + 1)
        return marked


def _newest(words: str, room: int) -> str:
    """The last words that fit, whole where spaces part them."""
    text = words.strip()
    if len(text) <= room:
        return text
    cut = text[-(room - 2) :]
    return "… " + (cut.partition(" ")[2] or cut)


def _bar(filled: int, style: str) -> Text:
    return Text.assemble(("█" * filled, style), ("░" * (_BAR_CELLS - filled), "dim"))


def _level(level_db: float) -> Text:
    share = (level_db - _QUIET_DB) / (_LOUD_DB - _QUIET_DB)
    filled = round(min(1.0, max(0.0, share)) * _BAR_CELLS)
    style = "red" if share > 0.95 else "yellow" if share > 0.8 else "green"
    return _bar(filled, style).append(f"  {level_db:.0f} dB")


def _sounds(chunk: ChunkTrace) -> Text:
    clear = [s for s in chunk.sounds if s.score >= _SHOWN_SCORE]
    return Text("   ".join(f"{s.name} {s.score:.2f}" for s in clear) or "-")
