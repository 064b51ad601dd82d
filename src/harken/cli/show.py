"""How a session appears: one JSON object a line, or plain lines for people."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Protocol

from harken.live.trace import (
    CHUNK_S,
    ChunkTrace,
    CompactionTrace,
    Event,
    FlushTrace,
    ResponseTrace,
    SoundScore,
    Summary,
    end_s,
)

_CLEAR_SCORE = 0.3
_NO_SOUND = "Silence"


class Show(Protocol):
    """Takes the events of one session after the other."""

    def begin(self, file: str) -> None:
        """A session starts."""
        ...

    def event(self, event: Event) -> None:
        """Something happened; called from the session's decoder thread."""
        ...

    def end(self, summary: Summary | None) -> None:
        """The session is over; None: it broke off."""
        ...


def print_line(line: str) -> None:
    """One line on stdout, at once."""
    print(line, flush=True)


def json_line(**fields: Any) -> str:
    """One object as one line; floats to four places."""
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in fields.items()}
    return json.dumps(rounded, ensure_ascii=False)


def sound_fields(sounds: tuple[SoundScore, ...]) -> list[dict[str, str | float]]:
    """Sounds as JSON has them."""
    return [{"name": s.name, "score": round(s.score, 4)} for s in sounds]


class JsonLines:
    """For programs: chunks and responses as they come, then the summary."""

    def __init__(self, write: Callable[[str], None] = print_line) -> None:
        self._write, self._file = write, ""

    def begin(self, file: str) -> None:
        self._file = file

    def event(self, event: Event) -> None:
        match event:
            case ChunkTrace():
                self._line("chunk", asdict(event) | {"sounds": sound_fields(event.sounds)})
            case ResponseTrace():
                self._line("response", asdict(event))
            case FlushTrace():
                self._line("flush", asdict(event))

    def end(self, summary: Summary | None) -> None:
        if summary is not None:
            self._line("summary", asdict(summary))

    def _line(self, kind: str, fields: dict[str, Any]) -> None:
        self._write(json_line(type=kind, file=self._file, **fields))


class PlainLines:
    """For people and pipes: a line when words, a reply or another sound come up."""

    def __init__(self, write: Callable[[str], None] = print_line) -> None:
        self._write, self._sound = write, ""

    def begin(self, file: str) -> None:
        self._sound = ""
        self._write(f"listening to {file}")

    def event(self, event: Event) -> None:
        match event:
            case ChunkTrace():
                if sound := self._changed_sound(event.sounds):
                    self._line(event.time_s, "sound", sound)
                if event.words.strip():
                    self._line(event.time_s, "words", event.words.strip())
                if event.decision == "stop":
                    self._line(event.time_s, "stop", "")
            case ResponseTrace():
                self._line(event.time_s, "reply", reply_text(event))
            case FlushTrace():
                self._line(end_s(event.chunk), "cut", cut_text(event))
            case CompactionTrace():
                self._line(event.chunk * CHUNK_S, "context", compaction_text(event))

    def end(self, summary: Summary | None) -> None:
        if summary is not None:
            self._write(summary_text(summary))

    def _line(self, time_s: float, kind: str, text: str) -> None:
        self._write(f"{clock_text(time_s)}  {kind:<7}  {text}".rstrip())

    def _changed_sound(self, sounds: tuple[SoundScore, ...]) -> str:
        """The clearest sound, when it is another one than before."""
        name = sounds[0].name if sounds and sounds[0].score >= _CLEAR_SCORE else _NO_SOUND
        changed = name != self._sound
        self._sound = name
        return f"{name} {sounds[0].score:.2f}" if changed and name != _NO_SOUND else ""


def clock_text(time_s: float) -> str:
    """Minutes and seconds with one decimal, `m:ss.s`."""
    tenths = round(time_s * 10)
    return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"


def reply_text(response: ResponseTrace) -> str:
    """A reply with its emotion, which goes without saying when it is normal."""
    feeling = "" if response.emotion == "normal" else f"({response.emotion}) "
    return feeling + " ".join(response.text.split())


def cut_text(flush: FlushTrace) -> str:
    """What was heard of a reply that was cut."""
    heard = " ".join(flush.heard.split())
    return f"heard of the last reply: {heard or 'nothing'}"


def compaction_text(compaction: CompactionTrace) -> str:
    """What was forgotten, in one line."""
    return (
        f"{compaction.positions_before} -> {compaction.positions_after} positions; "
        f"{compaction.dropped_chunks} older chunks are forgotten"
    )


def summary_text(summary: Summary) -> str:
    """The session in one line."""
    replies = "1 reply" if summary.responses == 1 else f"{summary.responses} replies"
    return (
        f"{summary.seconds:.1f} s heard in {summary.wall_s:.1f} s, {replies}; decisions took "
        f"{summary.latency_ms_p50:.0f} ms (p95 {summary.latency_ms_p95:.0f} ms), "
        f"real-time factor {summary.real_time_factor:.2f}"
    )
