"""How a session is told: to programs and to people."""

import io
import json

from rich.console import Console

from harken.cli.show import JsonLines, PlainLines, clock_text
from harken.cli.view import LiveView
from harken.live.trace import (
    ChunkTrace,
    CompactionTrace,
    Event,
    ResponseTrace,
    SoundScore,
    Summary,
    TextPiece,
)

DOG = (SoundScore("Dog", 0.91234), SoundScore("Animal", 0.4), SoundScore("Purr", 0.01))
QUIET = (SoundScore("Silence", 0.99), SoundScore("Dog", 0.0), SoundScore("Purr", 0.0))
EVENTS: tuple[Event, ...] = (
    ChunkTrace(0, 0.4, 0.1, "silent", "", QUIET, -80.0, 30.0, 1),
    ChunkTrace(1, 0.8, 0.2, "silent", " 你好 there", DOG, -20.0, 31.25, 0),
    ChunkTrace(2, 1.2, 0.98765, "respond", "", DOG, -20.0, 32.0, 0),
    TextPiece(2, "A dog", "urgent"),
    TextPiece(2, " barks.", "urgent"),
    ResponseTrace(2, 1.2, "A dog barks.", "urgent", 40.0, 90.0),
    CompactionTrace(3, 1700, 800, 150, 300, "old words", 2.0),
)
SUMMARY = Summary(3, 1.2, 1, 0.1, 0.5, 31.0, 32.0, 1, 300, 0, ("cut short",))


def lines(show_class: type[JsonLines] | type[PlainLines]) -> list[str]:
    written: list[str] = []
    show = show_class(written.append)
    show.begin("dog.wav")
    for event in EVENTS:
        show.event(event)
    show.end(SUMMARY)
    return written


def test_json_has_one_object_a_line_with_these_fields() -> None:
    chunk, second, third, response, summary = [json.loads(line) for line in lines(JsonLines)]
    assert second == {
        "type": "chunk",
        "file": "dog.wav",
        "chunk": 1,
        "time_s": 0.8,
        "p_respond": 0.2,
        "decision": "silent",
        "words": " 你好 there",
        "sounds": [
            {"name": "Dog", "score": 0.9123},
            {"name": "Animal", "score": 0.4},
            {"name": "Purr", "score": 0.01},
        ],
        "level_db": -20.0,
        "latency_ms": 31.25,
        "queued": 0,
    }
    assert (chunk["queued"], third["decision"], third["p_respond"]) == (1, "respond", 0.9877)
    assert response == {
        "type": "response",
        "file": "dog.wav",
        "chunk": 2,
        "time_s": 1.2,
        "text": "A dog barks.",
        "emotion": "urgent",
        "first_token_ms": 40.0,
        "done_ms": 90.0,
    }
    assert (
        summary.items()
        >= {
            "type": "summary",
            "file": "dog.wav",
            "seconds": 1.2,
            "chunks": 3,
            "responses": 1,
            "real_time_factor": 0.1,
            "latency_ms_p50": 31.0,
            "latency_ms_p95": 32.0,
            "dropped_chunks": 300,
            "warnings": ["cut short"],
        }.items()
    )


def test_plain_lines_tell_only_what_changes() -> None:
    assert lines(PlainLines)[:-1] == [
        "listening to dog.wav",
        "0:00.8  sound    Dog 0.91",
        "0:00.8  words    你好 there",
        "0:01.2  reply    (urgent) A dog barks.",
        "0:01.2  context  1700 -> 800 positions; 300 older chunks are forgotten",
    ]


def test_a_session_that_broke_off_has_no_summary() -> None:
    written: list[str] = []
    for show in (JsonLines(written.append), PlainLines(written.append)):
        show.begin("x.wav")
        show.end(None)
    assert written == ["listening to x.wav"]


def test_the_clock_counts_minutes() -> None:
    assert [clock_text(s) for s in (0.4, 59.96, 75.6, 3600.0)] == [
        "0:00.4",
        "1:00.0",
        "1:15.6",
        "60:00.0",
    ]


def test_the_view_follows_the_session_and_replies_stay_above_it() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=80, color_system=None)
    with LiveView(console, threshold=0.5, is_paced=True) as view:
        view.begin("[b]dog.wav")  # not markup
        for event in EVENTS[:5]:
            view.event(event)
        with console.capture() as shown:
            console.print(view.renderable())
        view.event(EVENTS[5])
        view.end(SUMMARY)
    text = shown.get()
    for told in ("… A dog barks.", "0:01.2", "-20 dB", "Dog 0.91", "你好 there", "0.99  respond"):
        assert told in text, told
    assert "Purr" not in text
    assert "listening to [b]dog.wav" in screen.getvalue()
    assert "(urgent) A dog barks." in screen.getvalue()
    assert "1.2 s heard" in screen.getvalue()
