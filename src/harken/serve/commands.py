"""What a client asks of its session: values that the dialects make from events of the wire."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from harken.serve.settings import Settings


@dataclass(frozen=True, slots=True)
class Start:
    """Begin to listen. rate: of the audio to come, in Hz."""

    settings: Settings
    rate: int


@dataclass(frozen=True, slots=True, eq=False)
class Hear:
    """The next samples, float32 [n] from -1 to 1 at the rate of the session."""

    samples: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Adopt:
    """Go on with other settings."""

    settings: Settings


@dataclass(frozen=True, slots=True)
class Read:
    """Text that enters the stream as if it had been heard with the next chunk."""

    text: str


@dataclass(frozen=True, slots=True)
class Respond:
    """Reply to what was heard so far, whatever the listener thinks of it."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """End the reply that is being said."""


@dataclass(frozen=True, slots=True)
class Played:
    """The client has played so much of a reply's voice. chunk: the one it replied to."""

    chunk: int
    played_ms: int


@dataclass(frozen=True, slots=True)
class Finish:
    """Nothing more will come: decide what was heard, then close."""


Command: TypeAlias = Start | Hear | Adopt | Read | Respond | Cancel | Played | Finish
