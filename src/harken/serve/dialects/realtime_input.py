"""What the client said, as items of a Realtime conversation: stretches of speech, with words."""

from dataclasses import dataclass, replace
from typing import Any

from harken.live.trace import CHUNK_S
from harken.serve.dialects.realtime_response import Fields
from harken.serve.outcomes import Judged

_P_SPEECH = 0.5
_PAUSE_CHUNKS = 2


@dataclass(frozen=True, slots=True)
class Utterance:
    """Speech that is going on. item_id: of the item it will be. start_ms, end_ms: from the start
    of the session. silent: chunks without speech at its end."""

    item_id: str
    start_ms: int
    end_ms: int = 0
    words: str = ""
    silent: int = 0

    def after(self, judged: Judged) -> "Utterance":
        """With one more chunk."""
        return replace(
            self,
            end_ms=round(1000 * judged.trace.time_s),
            words=self.words + judged.trace.words,
            silent=0 if is_speech(judged) else self.silent + 1,
        )

    @property
    def is_over(self) -> bool:
        """Whether a pause ended it; its last words have been recognised by then."""
        return self.silent >= _PAUSE_CHUNKS

    def started(self) -> Fields:
        about = {"audio_start_ms": self.start_ms, "item_id": self.item_id}
        return "input_audio_buffer.speech_started", about

    def stopped(self) -> Fields:
        about = {"audio_end_ms": self.end_ms, "item_id": self.item_id}
        return "input_audio_buffer.speech_stopped", about

    def item(self) -> dict[str, Any]:
        """As it stands in the conversation."""
        return {
            "id": self.item_id,
            "object": "realtime.item",
            "type": "message",
            "role": "user",
            "status": "completed",
            "content": [{"type": "input_audio", "transcript": self.words.strip()}],
        }

    def committed(self, previous_item_id: str | None, *, with_words: bool) -> list[Fields]:
        """It becomes an item. with_words: tell its transcript in events of their own too."""
        previous = {"previous_item_id": previous_item_id}
        events: list[Fields] = [
            ("input_audio_buffer.committed", previous | {"item_id": self.item_id}),
            ("conversation.item.added", previous | {"item": self.item()}),
            ("conversation.item.done", previous | {"item": self.item()}),
        ]
        transcript = self.words.strip()
        if with_words and transcript:
            kind = "conversation.item.input_audio_transcription"
            about = {"item_id": self.item_id, "content_index": 0}
            usage = {"type": "duration", "seconds": (self.end_ms - self.start_ms) / 1000}
            done = about | {"transcript": transcript, "usage": usage}
            events += [
                (f"{kind}.delta", about | {"delta": transcript}),
                (f"{kind}.completed", done),
            ]
        return events


def is_speech(judged: Judged) -> bool:
    """Whether somebody speaks in a chunk."""
    return judged.p_speech >= _P_SPEECH


def start_ms(judged: Judged) -> int:
    """Where a chunk begins."""
    return round(1000 * (judged.trace.time_s - CHUNK_S))
