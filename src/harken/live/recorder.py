"""Replies on the stream's own timeline: a player for recordings, and what it played as a file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
import soxr

from harken.errors import HarkenError
from harken.live.playing import Playing
from harken.live.speaking import Script, speak_line
from harken.live.trace import ChunkTrace, Event, FlushTrace, end_s
from harken.respond.voice import Samples, Speech, Voice


class Recorder:
    """Speaks every reply at once and lays it where its chunk ends in the stream, or where the
    reply before it ends.

    The clock is that of the chunks, so a replay at any speed gives the same; a reply is cut where
    a stop or another reply falls. A voice that fails is told to `on_error` and says no more.
    """

    def __init__(
        self, voice: Voice, playing: Playing, on_error: Callable[[HarkenError], None]
    ) -> None:
        self._voice, self._playing, self._on_error = voice, playing, on_error
        self._is_mute = False
        self._script = Script(playing)
        self._replies: dict[int, list[Samples]] = {}
        self._starts_s: dict[int, float] = {}
        self._rate = 0
        self._end_s = self._free_s = 0.0

    def event(self, event: Event) -> None:
        """Take an event of the session, in order; returns when its text is spoken."""
        match event:
            case ChunkTrace():
                self._end_s = event.time_s
                for chunk in reversed(self._starts_s):
                    if not self._playing.has(chunk):
                        break
                    self._playing.played(chunk, 1000 * (event.time_s - self._starts_s[chunk]))
            case FlushTrace():
                self._cut(event.reply_chunk, event.played_ms)
        if self._is_mute:
            return
        try:
            for line in self._script.lines(event):
                speak_line(line, self._voice, self._playing, self._play)
        except HarkenError as error:
            self._is_mute = True
            self._on_error(error)

    def write(self, path: Path) -> None:
        """All that was said, on the stream's timeline, as a recording in the format of its name.

        It is as long as the stream, or longer by the end of the last reply. Raises HarkenError
        when it cannot be written.
        """
        rate = self._rate or 24_000
        placed = [
            (round(self._starts_s[chunk] * rate), np.concatenate(pieces))
            for chunk, pieces in self._replies.items()
        ]
        ends = [round(self._end_s * rate), *(start + len(sound) for start, sound in placed)]
        whole = np.zeros(max(ends), np.float32)
        for start, sound in placed:
            whole[start : start + len(sound)] += sound
        try:
            soundfile.write(path, whole, rate)
        except (OSError, TypeError, ValueError, soundfile.LibsndfileError) as error:
            raise HarkenError(f"cannot write {path} ({error}): name a .wav or .flac") from error

    def _play(self, chunk: int, speech: Speech) -> None:
        self._rate = self._rate or speech.rate
        samples = speech.samples
        if speech.rate != self._rate:
            samples = np.asarray(soxr.resample(samples, speech.rate, self._rate), np.float32)
        if chunk not in self._starts_s:
            self._starts_s[chunk] = max(end_s(chunk), self._free_s)
            self._free_s = self._starts_s[chunk]
        self._replies.setdefault(chunk, []).append(samples)
        self._free_s += len(samples) / self._rate

    def _cut(self, chunk: int, played_ms: float) -> None:
        self._free_s = 0.0  # whatever was at the player is cut
        sound = np.concatenate(self._replies.pop(chunk, [np.zeros(0, np.float32)]))
        if kept := round(played_ms / 1000 * self._rate):
            self._replies[chunk] = [sound[:kept]]
