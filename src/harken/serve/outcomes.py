"""What a session tells its client: values that the dialects write as events of the wire."""

from dataclasses import dataclass
from typing import TypeAlias

from harken.live.trace import ChunkTrace, CompactionTrace, FlushTrace, ResponseTrace, TextPiece
from harken.perceive.percept import HeardWord
from harken.respond.voice import Speech
from harken.serve.settings import Settings


@dataclass(frozen=True, slots=True)
class Opened:
    """The session has read its prefix and listens."""


@dataclass(frozen=True, slots=True)
class Adopted:
    """The settings are in force."""

    settings: Settings


@dataclass(frozen=True, slots=True)
class Judged:
    """One chunk is decided.

    threshold: of the policy, or the client's; needed: what p(respond) had to reach in this chunk.
    lag_s: how long it had waited; context_ratio: of the context in use.
    """

    trace: ChunkTrace
    words: tuple[HeardWord, ...]
    p_speech: float
    threshold: float
    needed: float
    lag_s: float
    context_ratio: float


@dataclass(frozen=True, slots=True)
class Voiced:
    """A piece of a reply's voice."""

    chunk: int
    speech: Speech


@dataclass(frozen=True, slots=True)
class Replied:
    """The text of a reply is complete. cause: the words or else the sound it replied to."""

    trace: ResponseTrace
    cause: str
    is_cancelled: bool


@dataclass(frozen=True, slots=True)
class VoiceEnded:
    """All of a reply's voice was sent, or the rest was dropped."""

    chunk: int


@dataclass(frozen=True, slots=True)
class Lagging:
    """The server falls behind, or has caught up. policy: what it sheds now, or `none`."""

    lag_s: float
    policy: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Settings cannot be adopted, and why; the session goes on as before."""

    message: str


@dataclass(frozen=True, slots=True)
class VoiceFailed:
    """A reply could not be spoken, and why; its text stands."""

    message: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The session is over. error: what broke it, empty after a finish."""

    error: str = ""


Outcome: TypeAlias = (
    Opened
    | Adopted
    | Judged
    | TextPiece
    | Voiced
    | Replied
    | VoiceEnded
    | FlushTrace
    | CompactionTrace
    | Lagging
    | Refused
    | VoiceFailed
    | Ended
)
