"""A recording or a pipe through a session: as fast as it goes, or at the speed of life.

Unpaced, a replay runs on a virtual clock: a chunk counts as arrived when it is read, the decoder
takes passes of a fixed size, and all decisions and replies are those of a live session.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from harken.decide.listener import Listener
from harken.live.conduct import Conduct
from harken.live.playing import Playing
from harken.live.session import Flow, Session, own_work
from harken.live.trace import CHUNK_S, Event, Summary
from harken.perceive.chunks import Chunk, chunks_of
from harken.perceive.perception import Perception
from harken.perceive.source import Source
from harken.stream import CHUNK_SAMPLES

_PIPE_ROOM_CHUNKS = 256


def unpaced(pass_chunks: int = 8) -> Flow:
    """For recordings: passes of `pass_chunks`, the ears at most two passes ahead."""
    return Flow(pass_chunks, pass_chunks, 2 * pass_chunks, own_work)


def paced() -> Flow:
    """For a microphone, a pipe, or a recording at its own speed: every chunk at once.

    A pipe faster than the session waits when 100 s lie unheard.
    """
    return Flow(room_chunks=_PIPE_ROOM_CHUNKS)


@dataclass(frozen=True, slots=True)
class WallClock:
    """Seconds as they pass; the default sleeps, tests bring their own."""

    now_s: Callable[[], float] = time.monotonic
    sleep_s: Callable[[float], None] = time.sleep


def at_own_speed(chunks: Iterable[Chunk], clock: WallClock | None = None) -> Iterator[Chunk]:
    """Each chunk when its last sample would have been recorded."""
    clock = clock or WallClock()
    began_s = clock.now_s()
    for chunk in chunks:
        wait_s = began_s + (chunk.index + 1) * CHUNK_S - clock.now_s()
        if wait_s > 0:
            clock.sleep_s(wait_s)
        yield chunk


def with_tail(chunks: Iterable[Chunk], tail_s: float) -> Iterator[Chunk]:
    """The chunks, then silence: the last words are recognised, and answered, in a pause."""
    index = 0
    for chunk in chunks:
        yield chunk
        index = chunk.index + 1
    if index == 0:
        return
    for _ in range(round(tail_s / CHUNK_S)):
        yield Chunk(index, np.zeros(CHUNK_SAMPLES, np.float32), (index + 1) * CHUNK_SAMPLES, 0)
        index += 1


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during a replay; `summary` is the session up to there."""

    def __init__(self, summary: Summary) -> None:
        super().__init__()
        self.summary = summary


def replay(
    source: Source,
    listener: Listener,
    perception: Perception,
    conduct: Conduct | None = None,
    *,
    on_event: Callable[[Event], None] = lambda event: None,
    flow: Flow | None = None,
    realtime: bool = False,
    tail_s: float = 2.0,
    playing: Playing | None = None,
    hears_itself: bool = False,
) -> Summary:
    """Listen to a whole source; events come in order from another thread.

    flow: `unpaced()` by default. realtime: hold each chunk back until it would have been
    recorded; use it with `paced()`. tail_s: silence heard after the end. playing: where voice and
    player tell what is heard of the replies. hears_itself: what they play is audible in the
    source, as in a microphone; a recording holds nothing of it.

    Raises:
        HarkenError: there is nothing in the source that can be heard, or a model fails.
        Interrupted: Ctrl-C; what is not decided yet is left.
    """
    chunks = with_tail(chunks_of(source), tail_s)
    if realtime:
        chunks = at_own_speed(chunks)
    with Session(
        listener,
        perception,
        conduct,
        on_event=on_event,
        flow=flow or unpaced(),
        playing=playing,
    ) as session:
        try:
            for chunk in chunks:
                session.push(chunk, playing=None if hears_itself else False)
            summary = session.finish()
        except KeyboardInterrupt:
            session.close()
            raise Interrupted(session.summary()) from None
    return replace(summary, warnings=source.warnings)
