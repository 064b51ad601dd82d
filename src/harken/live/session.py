"""The session: Harken listening to one stream.

Two workers and a mailbox between them. The ears never wait for the decoder; the decoder takes all
that was heard since it last looked and judges it in one pass. While it says something, chunks
gather and are judged afterwards, each as if it had just come in.

    push(chunk) -> inbox -> ears -> heard -> decoder -> on_event(what was decided, said)
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self, TypeAlias

from harken.decide.listener import Audible, Listener
from harken.errors import HarkenError
from harken.live.conduct import Conduct
from harken.live.dialogue import Decided, Dialogue
from harken.live.echo import without_ours
from harken.live.log import SessionLog
from harken.live.mailbox import Aborted, Mailbox
from harken.live.playing import Playing
from harken.live.told_to_stop import Utterance
from harken.live.trace import ChunkTrace, Event, SoundScore, Summary, Tally, top_sounds
from harken.perceive.chunks import Chunk
from harken.perceive.perception import Perception
from harken.stream import SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Arrived:
    """A chunk on its way through the session, with seconds on the monotonic clock.

    aired: what our own voice said until then (`Playing.aired`).
    """

    chunk: Chunk
    playing: bool
    aired: str
    arrived_s: float


@dataclass(frozen=True, slots=True)
class HeardChunk:
    """A chunk that the ears are done with; `ears_s` is how long they took."""

    audible: Audible
    sounds: tuple[SoundScore, ...]
    arrived_s: float
    ears_s: float


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass of the decoder: when it began, and over how many chunks it went."""

    began_s: float
    chunks: int


Latency: TypeAlias = Callable[[HeardChunk, Pass, float], float]
"""Seconds that count as a decision's delay, given when it fell."""


def since_arrival(heard: HeardChunk, _: Pass, decided_s: float) -> float:
    """What a person waits: from the chunk's last sample to its decision."""
    return decided_s - heard.arrived_s


def own_work(heard: HeardChunk, ran: Pass, decided_s: float) -> float:
    """The chunk's share of the work, for streams that do not come in at their own speed."""
    return heard.ears_s + (decided_s - ran.began_s) / ran.chunks


@dataclass(frozen=True, slots=True)
class Flow:
    """How chunks move through a session.

    least_chunks: the decoder waits for so many, or the end. most_chunks: the largest backlog it
    judges in one pass. room_chunks: how many may wait for the ears, and as many for the decoder,
    before `push` waits too; None for no limit.
    """

    least_chunks: int = 1
    most_chunks: int = 24
    room_chunks: int | None = None
    latency: Latency = since_arrival


class Session:
    """One unbroken stream. Models are shared, all else is its own.

    `push` chunks, then `finish`; or leave early with `close`. Both workers end either way, and an
    error in a worker is raised by the next call. `on_event` is called from the decoder's thread,
    in order, and should be quick. Who speaks the replies tells `playing` what is heard of them.
    """

    def __init__(
        self,
        listener: Listener,
        perception: Perception,
        conduct: Conduct | None = None,
        *,
        on_event: Callable[[Event], None] = lambda event: None,
        flow: Flow | None = None,
        playing: Playing | None = None,
    ) -> None:
        """playing: where voice and player tell what is heard of the replies.

        Raises HarkenError when the prefix does not fit.
        """
        self._perception, self._on_event = perception, on_event
        self._flow = flow or Flow()
        self._cancelled = self._closed = False
        self.playing = playing or Playing()
        self._dialogue = Dialogue(listener, conduct or Conduct(), self._is_cancelled, self.playing)
        self._inbox = Mailbox[Arrived](self._flow.room_chunks)
        self._heard = Mailbox[HeardChunk](self._flow.room_chunks)
        self._tally = Tally()
        self._n_pushed = self._n_samples = self._n_decided = 0
        self._ears_s = self._decoder_s = 0.0
        self._began_s = time.monotonic()
        self._error: BaseException | None = None
        self._workers = [
            threading.Thread(target=self._guarded, args=(work,), name=name, daemon=True)
            for name, work in (("harken-ears", self._hear), ("harken-decoder", self._decide))
        ]
        for worker in self._workers:
            worker.start()

    # The two loops

    def _hear(self) -> None:
        """The ears' loop: one chunk in, one percept out."""
        hearing, utterance = self._perception.start(), Utterance()
        while arrived := self._inbox.take(1, 1):
            began_s = time.monotonic()
            hearing, percept = self._perception.hear(hearing, arrived[0].chunk.samples)
            ears_s = time.monotonic() - began_s
            self._ears_s += ears_s
            utterance = utterance.after(percept, arrived[0].aired)
            percept = replace(percept, words=without_ours(percept.words, arrived[0].aired))
            audible = Audible(percept, arrived[0].playing, utterance.told_to_stop, utterance.agrees)
            sounds = top_sounds(self._perception, percept)
            self._heard.put(HeardChunk(audible, sounds, arrived[0].arrived_s, ears_s))
        self._heard.end()

    def _decide(self) -> None:
        """The decoder's loop: the backlog in, decisions and replies out."""
        backlog: list[HeardChunk] = []
        least, most = self._flow.least_chunks, self._flow.most_chunks
        while True:
            # What was judged too early, before a reply, is still here and is judged again.
            backlog += self._heard.take(least - len(backlog), most - len(backlog))
            if not backlog:
                return
            began_s = time.monotonic()
            self._cancelled = False
            ran = Pass(began_s, len(backlog))
            for outcome in self._dialogue.attend([heard.audible for heard in backlog]):
                if isinstance(outcome, Decided):
                    self._emit(self._trace(backlog.pop(0), ran, outcome))
                else:
                    self._emit(outcome)
            self._decoder_s += time.monotonic() - began_s

    # From outside

    def push(self, chunk: Chunk, *, playing: bool | None = None) -> None:
        """Hear the next chunk. playing: our own voice was audible in it; by default whether
        `Session.playing` had some since the last one, and then its words are dropped.

        Raises what a worker failed with, and HarkenError after `finish` or `close`.
        """
        self._n_pushed += 1
        self._n_samples += chunk.n_real
        heard_itself = self.playing.take_sounded() if playing is None else playing
        try:
            aired = self.playing.aired if playing is None else ""
            self._inbox.put(Arrived(chunk, heard_itself, aired, time.monotonic()))
        except Aborted:
            self._raise_error()
            raise HarkenError("this session is closed; start another one") from None

    def finish(self) -> Summary:
        """Nothing more will come: wait until all is decided and said."""
        self._inbox.end()
        for worker in self._workers:
            worker.join()
        self._raise_error()
        return self.summary()

    def cancel_response(self) -> None:
        """End the response that is being said or played, if any, where it is."""
        self._cancelled = True
        self.playing.cancel()

    def close(self) -> None:
        """End both workers, now."""
        self._closed = True
        self._abort()
        for worker in self._workers:
            worker.join()

    def summary(self) -> Summary:
        """The session so far."""
        return self._tally.summary(
            seconds=self._n_samples / SAMPLE_RATE,
            work_s=self._ears_s + self._decoder_s,
            wall_s=time.monotonic() - self._began_s,
            repeats_withheld=self._dialogue.repeats_withheld,
        )

    @property
    def log(self) -> SessionLog:
        """The ids written so far; read it when the session has finished."""
        return self._dialogue.log

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # Inside

    def _is_cancelled(self) -> bool:
        return self._cancelled or self._closed

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Aborted:
            pass
        except BaseException as error:  # raised again in the caller's thread
            self._error = self._error or error
            self._abort()

    def _abort(self) -> None:
        self._inbox.abort()
        self._heard.abort()

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _emit(self, event: Event) -> None:
        self._tally.count(event)
        self._on_event(event)

    def _trace(self, heard: HeardChunk, ran: Pass, decided: Decided) -> ChunkTrace:
        self._n_decided += 1
        return ChunkTrace.of(
            heard.audible.percept,
            heard.sounds,
            decided.judgement,
            decided.decision,
            latency_ms=1000 * self._flow.latency(heard, ran, decided.at_s),
            queued=self._n_pushed - self._n_decided,
        )
