"""Ids back to a timeline: the inverse of `harken.stream.writer.write`."""

from harken.errors import HarkenError
from harken.stream.policy import Prefix
from harken.stream.profile import EMOTIONS
from harken.stream.timeline import Heard, Said, Timeline
from harken.stream.vocabulary import Vocabulary
from harken.stream.writer import Stream


class _Cursor:
    """A position in the ids that only moves forward."""

    def __init__(self, ids: list[int], vocabulary: Vocabulary) -> None:
        self._ids, self._vocabulary, self.at = ids, vocabulary, 0
        self._controls = vocabulary.profile.control_ids

    @property
    def done(self) -> bool:
        return self.at >= len(self._ids)

    def peek(self) -> int:
        if self.done:
            raise HarkenError(f"the stream ends in the middle of a chunk, at position {self.at}")
        return self._ids[self.at]

    def take(self) -> int:
        i = self.peek()
        self.at += 1
        return i

    def expect(self, name: str) -> None:
        want, got = self._vocabulary.profile.control(name), self.take()
        if got != want:
            raise HarkenError(
                f"position {self.at - 1} holds {got} where {name} ({want}) is due: "
                "the ids were written with another profile or cut"
            )

    def text(self) -> str:
        start = self.at
        while not self.done and self._ids[self.at] not in self._controls:
            self.at += 1
        return self._vocabulary.decode(self._ids[start : self.at])


def read(stream: Stream, vocabulary: Vocabulary) -> Timeline:
    """The canonical timeline of a stream; ids that break the contract are a `HarkenError`."""
    profile = vocabulary.profile
    cursor = _Cursor([int(i) for i in stream.ids], vocabulary)
    for name in profile.prefix_open:
        cursor.expect(name)
    opening = cursor.text()
    if not opening.startswith(profile.prefix_head):
        raise HarkenError(f"the prefix does not open with {profile.prefix_head!r}")
    prefix = Prefix.from_text(opening.removeprefix(profile.prefix_head))
    for name in profile.prefix_close:
        cursor.expect(name)

    decisions = dict(zip(profile.decision_ids, profile.decisions, strict=True))
    emotions = dict(zip(profile.emotion_ids, EMOTIONS, strict=False))  # none of them or all
    heard: list[Heard] = []
    said: list[Said] = []
    playing: list[int] = []
    stops: list[int] = []
    chunk = 0
    while not cursor.done:
        for name in (*profile.open, *["AUDIO"] * profile.audio_positions):
            cursor.expect(name)
        if profile.words and cursor.peek() == profile.control("HEARD"):
            cursor.take()
            start = chunk * profile.chunk_samples
            heard.append(Heard(start, start + profile.chunk_samples, "words", cursor.text()))
        if profile.hears_itself and cursor.peek() == profile.control("PLAYING"):
            cursor.take()
            playing.append(chunk)
        for name in profile.close:
            cursor.expect(name)
        decision = decisions.get(cursor.take())
        if decision is None:
            raise HarkenError(f"position {cursor.at - 1} holds no decision after chunk {chunk}")
        if decision == "respond":
            emotion = emotions.get(cursor.take(), "") if emotions else "normal"
            if not emotion:
                raise HarkenError(f"position {cursor.at - 1} holds no emotion after a respond")
            said.append(Said(chunk, cursor.text(), emotion))
            cursor.expect("END")
        elif decision == "stop":
            stops.append(chunk)
        chunk += 1
    return Timeline(prefix, chunk, tuple(heard), tuple(said), tuple(playing), tuple(stops))
