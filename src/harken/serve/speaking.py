"""The voice of replies: text in as it is generated, sound out as soon as there is some.

One worker speaks for all sessions, a sentence piece at a time, so that nobody waits for more than
a piece of somebody else.
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from harken.errors import HarkenError
from harken.live.playing import Playing
from harken.live.trace import TextPiece
from harken.perceive.resample import StreamResampler
from harken.respond.sentences import SentenceCutter
from harken.respond.voice import Samples, Speech, Voice
from harken.respond.voices import voice_named, voice_names
from harken.serve.outcomes import Outcome, Voiced, VoiceEnded, VoiceFailed
from harken.serve.settings import NO_VOICE
from harken.stream.tools import begins_call

_LOG = logging.getLogger(__name__)


class Voices:
    """The voices of a server, each loaded when it is first used, and the worker that speaks."""

    def __init__(self, ready: dict[str, Voice] | None = None) -> None:
        """ready: voices by name that need no loading."""
        self._ready = dict(ready or {})
        self._worker = ThreadPoolExecutor(1, "serve-voice")

    @property
    def names(self) -> tuple[str, ...]:
        """What a client may choose, without `none`."""
        return tuple(dict.fromkeys((*self._ready, *voice_names())))

    def check(self, name: str) -> None:
        """Raise HarkenError for a voice that there is not."""
        if name != NO_VOICE and name.partition(":")[0] not in self.names:
            known = ", ".join((NO_VOICE, *self.names))
            raise HarkenError(f"no voice {name!r}; choose one of {known}")

    def prepare(self, name: str) -> None:
        """Have a voice loaded before its first reply waits for it, which tells what fails."""
        if name != NO_VOICE:
            self._worker.submit(self.named, name)

    def submit(self, work: Callable[[], None]) -> None:
        """Have the worker do something."""
        self._worker.submit(work)

    def named(self, name: str) -> Voice:
        """For the worker: the voice, loaded if need be. Raises HarkenError."""
        if name not in self._ready:
            self._ready[name] = voice_named(name)
        return self._ready[name]

    def close(self) -> None:
        """End the worker after its piece."""
        self._worker.shutdown(cancel_futures=True)


@dataclass(frozen=True, slots=True)
class Way:
    """Where the sound of a session goes. rate: of it, in Hz. playing: is told what sound was made;
    what was cut is not spoken."""

    voices: Voices
    rate: int
    playing: Playing
    tell: Callable[[Outcome], None]


class Speaker:
    """Speaks the replies of one session. For the decoder's thread; `name` is that of the voice."""

    def __init__(self, way: Way) -> None:
        self.name = NO_VOICE
        self._way = way
        self._utterance: _Utterance | None = None
        self._has_spoken = False

    def add(self, piece: TextPiece) -> None:
        """The next text of a reply; the first of it begins an utterance."""
        if self._utterance is None:
            if self.name == NO_VOICE or begins_call(piece.text):
                return
            self._has_spoken = True
            self._way.playing.begin(piece.chunk)
            self._utterance = _Utterance(self._way, self.name, piece)
        for sentence in self._utterance.cutter.push(piece.text):
            self._utterance.submit(sentence)

    def end(self, chunk: int) -> None:
        """The reply after that chunk is complete."""
        utterance, self._utterance = self._utterance, None
        if utterance is None:
            self._way.tell(VoiceEnded(chunk))
            return
        for sentence in utterance.cutter.finish():
            utterance.submit(sentence)
        self._way.voices.submit(utterance.finish)

    def when_said(self, work: Callable[[], None]) -> None:
        """Have something done behind all replies; at once in a session that says none aloud."""
        if self._has_spoken:
            self._way.voices.submit(work)
        else:
            work()


class _Utterance:
    """One reply on its way through the worker."""

    def __init__(self, way: Way, voice: str, first: TextPiece) -> None:
        self.cutter = SentenceCutter()
        self._way, self._voice = way, voice
        self._chunk, self._emotion = first.chunk, first.emotion
        self._resampler: StreamResampler | None = None
        self._is_cut = False

    def submit(self, sentence: str) -> None:
        self._way.voices.submit(lambda: self._say(sentence))

    def finish(self) -> None:
        """All was spoken, or the rest was dropped."""
        if self._resampler and not self._is_cut:
            self._hand_over("", self._resampler.finish())
        self._way.playing.end(self._chunk)
        self._way.tell(VoiceEnded(self._chunk))

    def _say(self, sentence: str) -> None:
        if self._is_cut:
            return
        try:
            self._is_cut = not self._speak(sentence)
        except HarkenError as silent:
            self._fail(str(silent))
        except Exception:  # of a voice from another package, say; nobody looks into the worker
            _LOG.exception("a voice broke")
            self._fail("the voice broke on an internal error; see the server's log")

    def _fail(self, message: str) -> None:
        """The rest of the reply is not spoken."""
        self._is_cut = True
        self._way.tell(VoiceFailed(message))

    def _speak(self, sentence: str) -> bool:
        """Whether the reply may go on."""
        text = sentence
        with closing(self._way.voices.named(self._voice).speak(sentence, self._emotion)) as sound:
            for speech in sound:
                if not self._hand_over(text, self._resampled(speech)):
                    return False
                text = ""
        # A piece without anything to say has no sound, and counts as heard all the same.
        return not text or self._hand_over(text, np.zeros(0, np.float32))

    def _resampled(self, speech: Speech) -> Samples:
        if self._resampler is None:
            self._resampler = StreamResampler(speech.rate, self._way.rate)
        return self._resampler.push(speech.samples)

    def _hand_over(self, text: str, samples: Samples) -> bool:
        """Sound to the client, unless the reply was cut in the meantime."""
        speech = Speech(samples, self._way.rate)
        if not self._way.playing.voiced(self._chunk, text, 1000 * speech.seconds):
            return False
        if len(samples):
            self._way.tell(Voiced(self._chunk, speech))
        return True


class AssumedPlayer:
    """For a client that does not tell what it has played: it plays what it gets at once, one reply
    after the other, and drops all of it on a flush."""

    def __init__(self, playing: Playing, now_s: Callable[[], float] = time.monotonic) -> None:
        self._playing, self._now_s = playing, now_s
        self._began_s: dict[int, float] = {}
        self._free_s = 0.0

    def got(self, voiced: Voiced) -> None:
        """Sound was sent."""
        starts_s = max(self._now_s(), self._free_s)
        self._began_s.setdefault(voiced.chunk, starts_s)
        self._free_s = starts_s + voiced.speech.seconds

    def flushed(self) -> None:
        """Nothing sounds any more."""
        self._began_s.clear()
        self._free_s = 0.0

    def tick(self) -> None:
        """Time has passed."""
        now_s = self._now_s()
        for chunk, began_s in list(self._began_s.items()):
            self._playing.played(chunk, 1000 * (now_s - began_s))
            if not self._playing.has(chunk):
                del self._began_s[chunk]
