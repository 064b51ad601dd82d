"""One response from its first id to its end: text pieces as they come, then the whole."""

import codecs
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from harken.decide.listener import Listener, State
from harken.stream import Vocabulary
from harken.stream.profile import EMOTIONS
from harken.stream.writer import Piece, response_piece


@dataclass(frozen=True, slots=True)
class Reply:
    """A finished response. `state` stands after it; `piece` is how it stands in the stream."""

    text: str
    emotion: str
    piece: Piece
    state: State


def shortened(vocabulary: Vocabulary, response: Sequence[int], text: str) -> Piece:
    """A response of which only `text` was heard, in its own emotion."""
    profile = vocabulary.profile
    emotion = EMOTIONS[profile.emotion_ids.index(response[0])] if profile.emotions else "normal"
    return response_piece(vocabulary, text, emotion)


class Replying:
    """A response while it is generated: iterate over its text, then call `finished`.

    The response ends by itself, at `most_text_ids`, or as soon as `cancelled` says so: then its
    end is written for it. `emotion` is known from the first piece on.
    """

    def __init__(
        self,
        listener: Listener,
        responding: State,
        *,
        most_text_ids: int,
        cancelled: Callable[[], bool],
    ) -> None:
        """`responding` is the state after a respond."""
        self.emotion = "normal"
        self._listener, self._responding = listener, responding
        self._most_text_ids, self._cancelled = most_text_ids, cancelled
        self._state = responding
        self._sampled: list[int] = []
        self._text_ids: list[int] = []

    def __iter__(self) -> Iterator[str]:
        """Pieces of whole characters."""
        vocabulary, profile = self._listener.vocabulary, self._listener.profile
        emotions = dict(zip(profile.emotion_ids, EMOTIONS, strict=False))
        end = profile.end_id
        characters = codecs.getincrementaldecoder("utf-8")("replace")
        for i, state in self._listener.say(self._responding):
            self._state = state
            self._sampled.append(i)
            if i in emotions:
                self.emotion = emotions[i]
            elif i != end:
                self._text_ids.append(i)
                if text := characters.decode(vocabulary.decode_bytes([i])):
                    yield text
            if len(self._text_ids) >= self._most_text_ids or self._cancelled():
                break
        if text := characters.decode(b"", final=True):
            yield text

    def finished(self) -> Reply:
        """The whole response.

        Sampled ids that are not how the tokenizer spells the text are read again in its
        spelling, so that the stream is what training would have written.
        """
        text = self._listener.vocabulary.decode(self._text_ids)
        piece = response_piece(self._listener.vocabulary, text, self.emotion)
        written = piece[0]
        if self._sampled == written[: len(self._sampled)]:  # cut short, only its end is missing
            rest = written[len(self._sampled) :]
            state = replace(self._state, pending=(*self._state.pending, *rest))
        else:
            state = replace(self._responding, pending=(*self._responding.pending, *written))
        return Reply(text, self.emotion, piece, state)
