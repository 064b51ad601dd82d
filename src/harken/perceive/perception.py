"""All ears over one stream: chunks of samples in, percepts out, state as a value."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harken.errors import HarkenError
from harken.parts import ensure
from harken.parts.convert import converted
from harken.perceive import acoustic, sound
from harken.perceive.acoustic import AcousticEar
from harken.perceive.percept import Percept
from harken.perceive.sound import SoundEar
from harken.perceive.speech_segment import WordsState
from harken.perceive.words import WordsEar, WordsHeard
from harken.stream import CHUNK_SAMPLES

F16 = npt.NDArray[np.float16]
F32 = npt.NDArray[np.float32]

EARS = ("sound", "acoustic", "words")
HISTORY_SAMPLES = acoustic.WINDOW_SAMPLES
SILENCE_DB = -100.0


@dataclass(frozen=True, slots=True)
class Hearing:
    """Where the ears stand in one stream: the newest 3.2 s and the words that are open."""

    next_chunk: int
    history: F32
    words: WordsState | None


class Perception:
    """The ears of one profile; holds models, and no stream.

    ears: which of "sound", "acoustic" and "words" listen; the others deliver nothing.
    """

    def __init__(self, ears: Iterable[str] = EARS, *, threads: int = 1) -> None:
        self.ears = tuple(ears)
        unknown = [e for e in self.ears if e not in EARS]
        if unknown:
            raise HarkenError(f"no ear {unknown[0]!r}; choose from {', '.join(EARS)}")
        self.sound = SoundEar(ensure("yamnet"), threads=threads) if "sound" in self.ears else None
        self.acoustic = (
            AcousticEar(converted("acoustic"), threads=threads) if "acoustic" in self.ears else None
        )
        self.words = _words_ear(threads) if "words" in self.ears else None
        self._beside_words = ThreadPoolExecutor(1, "perception")

    def start(self) -> Hearing:
        """The ears before the first chunk."""
        blank = np.zeros(HISTORY_SAMPLES, np.float32)
        return Hearing(0, blank, self.words.start() if self.words else None)

    def hear(
        self,
        hearing: Hearing,
        samples: F32,
        *,
        spare_words: bool = False,
        spare_acoustic: bool = False,
    ) -> tuple[Hearing, Percept]:
        """One chunk, float32 [6400] at 16 kHz -> the next state and the chunk's percept.

        For a machine that falls behind: spare_words recognises words at pauses only,
        spare_acoustic lets the acoustic ear rest, as if it were switched off.
        """
        if samples.shape != (CHUNK_SAMPLES,):
            raise HarkenError(
                f"a chunk is {CHUNK_SAMPLES} samples of one channel, not {samples.shape}; cut the "
                "audio with harken.perceive.chunks.Chunker"
            )
        history = np.concatenate([hearing.history[CHUNK_SAMPLES:], samples])
        # The words ear takes several times as long as the others, which need nothing of it.
        others = self._beside_words.submit(self._sounds, history, spare_acoustic)
        words_state, heard = hearing.words, WordsHeard((), 0.0, False)
        if self.words and words_state is not None:
            words_state, heard = self.words.hear(words_state, samples, spare=spare_words)
        scores, states = others.result()
        percept = Percept(
            hearing.next_chunk, scores, states, heard.words, level_db(samples), heard.p_speech
        )
        return replace(
            hearing, next_chunk=hearing.next_chunk + 1, history=history, words=words_state
        ), percept

    def _sounds(self, history: F32, spare_acoustic: bool) -> tuple[F16, F16]:
        """What the sound and the acoustic ear make of the newest 3.2 s."""
        scores = np.zeros(sound.CLASSES + sound.EMBEDDING, np.float16)
        if self.sound:
            scores = self.sound.hear(history[-sound.WINDOW_SAMPLES :]).astype(np.float16)
        states = np.zeros(acoustic.POOLED * acoustic.WIDTH, np.float16)
        if self.acoustic and not spare_acoustic:
            states = self.acoustic.hear(history).astype(np.float16)
        return scores, states

    def hear_all(self, chunks: Iterable[F32]) -> Iterator[Percept]:
        """Percepts of a whole stream from its start."""
        hearing = self.start()
        for samples in chunks:
            hearing, percept = self.hear(hearing, samples)
            yield percept


def level_db(samples: F32) -> float:
    """Root mean square in dB below full scale, at least -100."""
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    return max(SILENCE_DB, 10 * float(np.log10(power + 1e-12)))


def _words_ear(threads: int) -> WordsEar:
    silero: Path = next(ensure("silero").glob("*.onnx"))
    return WordsEar(ensure("whisper"), silero, threads=threads)
