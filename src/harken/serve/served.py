"""One session among many: what waits for its ears, what was heard, and its dialogue.

It has no thread of its own. The engine's workers take turns with all sessions, one step each: a
chunk for the ears; for the decoder a pass over the backlog, or one piece of a reply. No two workers
of a kind are at one session. Whatever comes of it is told from the worker's thread, in order.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from harken.decide.decoder_listener import DecoderListener
from harken.decide.listener import Audible
from harken.errors import HarkenError
from harken.live.conduct import Conduct
from harken.live.dialogue import Decided, Dialogue
from harken.live.echo import without_ours
from harken.live.playing import Playing
from harken.live.told_to_stop import Utterance
from harken.live.trace import (
    CHUNK_S,
    ChunkTrace,
    ResponseTrace,
    SoundScore,
    TextPiece,
    top_sounds,
)
from harken.perceive.chunks import Chunk
from harken.perceive.percept import HeardWord
from harken.perceive.perception import Perception
from harken.serve.commands import Start
from harken.serve.outcomes import Adopted, Ended, Judged, Opened, Outcome, Refused, Replied
from harken.serve.rules import at_last
from harken.serve.settings import Settings
from harken.serve.speaking import Speaker, Voices, Way

MOST_CHUNKS = 8
"""In one pass, which others have to wait for."""
_CAUSE_CHUNKS = 10
_JITTER_S = 1.0
"""A client that is further ahead of life sends a recording."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A chunk on its way to the ears.

    aired: what our own voice said until then (`Playing.aired`). typed: text that enters the stream
    with it. is_asked: a response is due after it. due_s: when it arrived, on the monotonic clock,
    or of a recording sent faster than it was made, when it would have been recorded: such a client
    does not make anybody late.
    """

    chunk: Chunk
    playing: bool
    aired: str
    typed: str
    is_asked: bool
    due_s: float


@dataclass(frozen=True, slots=True)
class HeardChunk:
    """A chunk that the ears are done with. spoken: its words without what was typed."""

    audible: Audible
    spoken: tuple[HeardWord, ...]
    sounds: tuple[SoundScore, ...]
    is_asked: bool
    due_s: float


class Served:
    """Made by the engine. `put`, `adopt`, `cancel` and `finish` are for the event loop, the rest
    for the workers."""

    def __init__(
        self,
        listener: DecoderListener,
        perception: Perception,
        voices: Voices,
        start: Start,
        tell: Callable[[Outcome], None],
    ) -> None:
        """Raises HarkenError for a wrong policy, threshold or voice."""
        self._listener, self._perception, self._tell = listener, perception, tell
        self._voices = voices
        self._conduct = self._conduct_of(start.settings)
        self.playing = Playing()
        self._speaker = Speaker(Way(voices, start.rate, self.playing, self._told))
        self._speaker.name = start.settings.voice
        voices.prepare(start.settings.voice)
        self._hearing, self._utterance = perception.start(), Utterance()
        self._inbox: deque[Arrived] = deque()
        self._heard: deque[HeardChunk] = deque()
        self._asked: deque[Settings] = deque()
        self._steps: Iterator[None] | None = self._open()
        self._dialogue: Dialogue | None = None
        self._is_cancelled = self._is_finishing = self._is_ending = self.is_over = False
        self._paced_s = 0.0
        self._n_put = self._n_decided = 0
        self._last_sound = ""
        self._last_words: deque[tuple[int, str]] = deque(maxlen=_CAUSE_CHUNKS)

    # From the event loop, which wakes the workers afterwards

    def put(self, chunk: Chunk, *, typed: str = "", is_asked: bool = False) -> None:
        """The next chunk. typed: text that enters the stream with it. is_asked: reply to it."""
        now_s = time.monotonic()
        self._paced_s = max(now_s, self._paced_s + CHUNK_S)
        due_s = self._paced_s if self._paced_s - now_s > _JITTER_S else now_s
        self._n_put += 1
        playing, aired = self.playing.take_sounded(), self.playing.aired
        self._inbox.append(Arrived(chunk, playing, aired, typed, is_asked, due_s))

    def adopt(self, settings: Settings) -> None:
        """Go on with other settings, from the next pass."""
        self._asked.append(settings)

    def cancel(self) -> None:
        """End the reply that is being said or played, if any."""
        self._is_cancelled = True
        self.playing.cancel()

    def finish(self) -> None:
        """Nothing more will come; `Ended` follows when all is decided and spoken."""
        self._is_finishing = True

    def close(self) -> None:
        """Stop now; nothing more is told."""
        self._tell = lambda outcome: None
        self.is_over = True
        self.playing.cut()

    # For the workers

    @property
    def waiting_chunks(self) -> int:
        """Chunks that are not decided yet."""
        return self._n_put - self._n_decided

    def lag_s(self, now_s: float) -> float:
        """How long the oldest undecided chunk has waited."""
        for waiting in (self._heard, self._inbox):
            try:
                return max(0.0, now_s - waiting[0].due_s)
            except IndexError:  # another worker has just taken the last one
                continue
        return 0.0

    @property
    def can_hear(self) -> bool:
        return bool(self._inbox) and not self.is_over

    @property
    def can_decide(self) -> bool:
        if self.is_over:
            return False
        is_done = self._is_finishing and self._n_decided == self._n_put
        return bool(self._steps or self._asked or self._heard) or (is_done and not self._is_ending)

    def hear(self, *, spare_words: bool, spare_acoustic: bool) -> None:
        """One step of the ears."""
        arrived = self._inbox[0]
        self._hearing, percept = self._perception.hear(
            self._hearing,
            arrived.chunk.samples,
            spare_words=spare_words,
            spare_acoustic=spare_acoustic,
        )
        self._utterance = self._utterance.after(percept, arrived.aired)
        spoken = without_ours(percept.words, arrived.aired)
        percept = replace(percept, words=spoken)
        if arrived.typed:
            typed = HeardWord(" " + arrived.typed, arrived.chunk.end_sample, "en")
            percept = replace(percept, words=(*spoken, typed))
        self._heard.append(
            HeardChunk(
                Audible(
                    percept,
                    arrived.playing,
                    self._utterance.told_to_stop,
                    self._utterance.agrees,
                    typed=bool(arrived.typed),
                ),
                spoken,
                top_sounds(self._perception, percept),
                arrived.is_asked,
                arrived.due_s,
            )
        )
        self._inbox.popleft()

    def decide(self) -> None:
        """One step of the decoder."""
        if self._steps is None:
            self._steps = self._next_work()
        try:
            next(self._steps)
        except StopIteration:
            self._steps = None
        except HarkenError as refusal:
            self._steps = None
            if self._dialogue is None:
                raise
            self._tell(Refused(str(refusal)))

    def fail(self, message: str) -> None:
        """End it: something broke."""
        tell = self._tell
        self.close()
        tell(Ended(message))

    # Work in steps

    def _next_work(self) -> Iterator[None]:
        if self._asked:
            return self._adopt(self._asked.popleft())
        if self._heard:
            return self._attend()
        return self._end()

    def _open(self) -> Iterator[None]:
        self._dialogue = Dialogue(
            self._listener,
            self._conduct,
            lambda: self._is_cancelled or self.is_over,
            self.playing,
        )
        self._tell(Opened())
        yield

    def _adopt(self, settings: Settings) -> Iterator[None]:
        conduct = self._conduct_of(settings)
        yield from self._open_dialogue.adopt(conduct)
        self._conduct, self._speaker.name = conduct, settings.voice
        self._voices.prepare(settings.voice)
        self._tell(Adopted(settings))

    def _end(self) -> Iterator[None]:
        self._is_ending = True
        self._speaker.when_said(self._leave)
        yield

    def _leave(self) -> None:
        self._tell(Ended())
        self.close()

    def _attend(self) -> Iterator[None]:
        """One pass; a chunk after which a response was asked for has a pass of its own."""
        backlog = list(self._heard)[:MOST_CHUNKS]
        asked = next((n for n, heard in enumerate(backlog) if heard.is_asked), len(backlog))
        rule = at_last if asked == 0 else None
        passing = backlog[: max(1, asked)]
        self._is_cancelled = False
        for outcome in self._open_dialogue.attend([heard.audible for heard in passing], rule):
            match outcome:
                case Decided():
                    self._tell(self._judged(self._heard.popleft(), outcome))
                case TextPiece():
                    self._tell(outcome)
                    self._speaker.add(outcome)
                case ResponseTrace():
                    self._speaker.end(outcome.chunk)
                    self._tell(Replied(outcome, self._cause(), self._is_cancelled))
                case _:
                    self._tell(outcome)
            yield

    def _told(self, outcome: Outcome) -> None:
        """For the voice's worker, which may outlast the session."""
        self._tell(outcome)

    def _conduct_of(self, settings: Settings) -> Conduct:
        self._voices.check(settings.voice)
        return settings.conduct(self._listener.checkpoint)

    @property
    def _open_dialogue(self) -> Dialogue:
        assert self._dialogue is not None, "opening is the first work of a session"
        return self._dialogue

    def _judged(self, heard: HeardChunk, decided: Decided) -> Judged:
        percept = heard.audible.percept
        self._n_decided += 1
        sound = heard.sounds[0].name if heard.sounds else ""
        self._last_words.append((percept.chunk, percept.text))
        self._last_sound = sound
        waited_s = max(0.0, decided.at_s - heard.due_s)
        trace = ChunkTrace.of(
            replace(percept, words=heard.spoken),  # what was typed is not told as heard
            heard.sounds,
            decided.judgement,
            decided.decision,
            latency_ms=1000 * waited_s,
            queued=self.waiting_chunks,
        )
        return Judged(
            trace,
            heard.spoken,
            percept.p_speech,
            self._conduct.point.respond,
            needed=self._open_dialogue.needed(decided.judgement),
            lag_s=self.lag_s(time.monotonic()),
            context_ratio=self._open_dialogue.context_ratio,
        )

    def _cause(self) -> str:
        """The words of the last 4 s, else the likeliest sound."""
        words = "".join(text for _, text in self._last_words).strip()
        self._last_words.clear()
        return words or self._last_sound
