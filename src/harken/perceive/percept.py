"""What the ears deliver for one chunk: a value, the same in training, replay and live."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A committed word of recognised speech.

    `text` is its surface as recognised, with the leading space of languages that use spaces;
    `end_sample` is where it was recognised to end; `language` is an ISO 639-1 code.
    """

    text: str
    end_sample: int
    language: str


@dataclass(frozen=True, slots=True)
class Percept:
    """One chunk as heard.

    sound: float16 [1545], the sound ear's 521 class scores (0 to 1) and 1024-number embedding.
    acoustic: float16 [2560], five times 512 states of the acoustic ear, oldest first.
    An ear that is switched off delivers zeros or no words. level_db is the chunk's level in dB
    below full scale; p_speech the speech probability from 0 to 1.
    """

    chunk: int
    sound: npt.NDArray[np.float16]
    acoustic: npt.NDArray[np.float16]
    words: tuple[HeardWord, ...]
    level_db: float
    p_speech: float

    @property
    def text(self) -> str:
        """The committed words of this chunk as they enter the stream."""
        return "".join(w.text for w in self.words)
