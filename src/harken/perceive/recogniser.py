"""Whisper (CTranslate2, int8) on windows of any length: language, words, word ends.

Whisper was trained on windows padded to 30 s. Padding that far costs four times as much as
decoding what is there, but a window cut at its exact length makes the decoder repeat itself until
its cap; one second of zeros behind the speech is enough to let it stop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import ctranslate2
import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from harken.errors import HarkenError
from harken.perceive import word_pieces
from harken.perceive.whisper_mel import clamp_normalise, log_mel
from harken.perceive.word_pieces import WordPiece

Float32 = NDArray[np.float32]

# Two mel frames make one encoder state, so windows are whole states: 320 samples, 20 ms.
STATE_SAMPLES = 320
TAIL_ZEROS_SAMPLES = 16_000
_MIN_WINDOW_SAMPLES = 1_600
_TOKENS_PER_S = 12  # above the rate of real speech; with the spare ones, bounds a runaway
_SPARE_TOKENS = 8
_CLOSING_STATES = 30  # a timestamp in the last 0.6 s of the audio closes it
# Text that Whisper believes it wrote before. Without it Whisper mixes traditional and simplified
# characters within one sentence ("the following are sentences in Mandarin").
_CONTEXT = {"zh": "以下是普通话的句子。"}
_PART_FILES = ("model.bin", "config.json", "vocabulary.txt", "tokenizer.json")


@dataclass(frozen=True, slots=True)
class Encoded:
    """One window through the encoder: its states and how much of it is audio, not padding."""

    states: ctranslate2.StorageView
    audio_samples: int


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What the decoder wrote after its forced prefix. no_speech is a probability, 0 to 1."""

    words: tuple[WordPiece, ...]
    no_speech: float


@dataclass(frozen=True, slots=True)
class Alignment:
    """Where each word of a text ends (samples from the window's start) and how sure it is.

    log_prob is the mean natural-log probability of the word's tokens.
    """

    end_sample: tuple[int, ...]
    log_prob: tuple[float, ...]


class Recogniser:
    """Whisper-base as plain functions of a window; holds weights, no stream."""

    def __init__(self, whisper_dir: Path, *, threads: int = 1) -> None:
        """Load the weights.

        Raises:
            HarkenError: a file is missing or unreadable.
        """
        for name in _PART_FILES:
            if not (whisper_dir / name).is_file():
                raise HarkenError(
                    f"no {name} in {whisper_dir}: run `harken parts fetch` to get Whisper"
                )
        try:
            self._model = ctranslate2.models.Whisper(
                str(whisper_dir),
                device="cpu",
                compute_type="int8",
                intra_threads=threads,
                inter_threads=1,
            )
            self._tokenizer = Tokenizer.from_file(str(whisper_dir / "tokenizer.json"))
        except Exception as error:  # neither library documents a base class for its errors
            reason = str(error).strip().partition("\n")[0]
            raise HarkenError(
                f"Whisper in {whisper_dir} cannot be read ({reason}): "
                "run `harken parts verify`, then `harken parts fetch`"
            ) from error
        self._start_id = self._special("<|startoftranscript|>")
        self._transcribe_id = self._special("<|transcribe|>")
        self._first_timestamp_id = self._special("<|notimestamps|>") + 1
        self._end_id = self._special("<|endoftext|>")

    def check_languages(self, languages: Sequence[str]) -> None:
        """Raise HarkenError if Whisper does not know one of the ISO 639-1 codes."""
        for language in languages:
            self._special(f"<|{language}|>")

    def encode(self, samples: Float32, *, tail_samples: int = TAIL_ZEROS_SAMPLES) -> Encoded:
        """Encode float32[n] at 16 kHz followed by `tail_samples` zeros (30 s at most together)."""
        wanted = max(samples.shape[0] + tail_samples, _MIN_WINDOW_SAMPLES)
        window = np.zeros(-(-wanted // STATE_SAMPLES) * STATE_SAMPLES, np.float32)
        window[: samples.shape[0]] = samples
        mel = np.ascontiguousarray(clamp_normalise(log_mel(window))[None])
        states = self._model.encode(ctranslate2.StorageView.from_array(mel))
        return Encoded(states=states, audio_samples=samples.shape[0])

    def language_probabilities(
        self, encoded: Encoded, languages: Sequence[str]
    ) -> dict[str, float]:
        """Probability of each of `languages`, summing to 1 over them."""
        heard = {token: p for token, p in self._model.detect_language(encoded.states)[0]}
        weights = {language: heard.get(f"<|{language}|>", 0.0) for language in languages}
        total = sum(weights.values()) or 1.0
        return {language: weight / total for language, weight in weights.items()}

    def transcribe(
        self,
        encoded: Encoded,
        language: str,
        prefix_ids: Sequence[int] = (),
        *,
        prefix_end_sample: int = 0,
    ) -> Hypothesis:
        """Decode greedily, `prefix_ids` forced; the words returned follow the prefix.

        Timestamps are on because they let the decoder say that it is done: without them it
        repeats itself on most short windows. `prefix_end_sample` bounds what may still follow.
        """
        prompt = [
            *self._context_ids(language),
            *self._prompt(language),
            self._first_timestamp_id,
            *prefix_ids,
        ]
        to_come_s = max(0, encoded.audio_samples - prefix_end_sample) / 16_000
        result = self._model.generate(
            encoded.states,
            [prompt],
            beam_size=1,
            max_length=min(448, len(prompt) + _SPARE_TOKENS + int(_TOKENS_PER_S * to_come_s)),
            return_no_speech_prob=True,
        )[0]
        # CTranslate2 returns the forced prefix inside its output.
        forced = [self._first_timestamp_id, *prefix_ids]
        said = list(result.sequences_ids[0])
        if said[: len(forced)] == forced:
            said = said[len(forced) :]
        words = word_pieces.split(
            self._tokenizer, self._until_closed(said, encoded.audio_samples), language
        )
        return Hypothesis(words=words, no_speech=float(result.no_speech_prob))

    def _until_closed(self, ids: Sequence[int], audio_samples: int) -> list[int]:
        """The text tokens before the timestamp that closes the audio; what follows is a loop."""
        closing_id = self._first_timestamp_id + audio_samples // STATE_SAMPLES - _CLOSING_STATES
        text: list[int] = []
        for token in ids:
            if token >= max(closing_id, self._first_timestamp_id):
                break
            if token < self._end_id:
                text.append(token)
        return text

    def words_of(self, text: str, language: str) -> tuple[WordPiece, ...]:
        """A known text as words, for `align`."""
        ids = self._tokenizer.encode(text, add_special_tokens=False).ids
        return word_pieces.split(self._tokenizer, ids, language)

    def align(
        self,
        encoded: Encoded,
        language: str,
        prefix_ids: Sequence[int],
        words: Sequence[WordPiece],
    ) -> Alignment:
        """Find the ends of `words`, which follow `prefix_ids` in this window.

        Dynamic time warping over the cross-attention of Whisper's alignment heads.
        """
        ids = [*prefix_ids, *(token for word in words for token in word.ids)]
        if not words:
            return Alignment(end_sample=(), log_prob=())
        frames = int(encoded.states.shape[1]) * 2
        result = self._model.align(encoded.states, self._prompt(language), [ids], frames)[0]
        end_state = dict(result.alignments)  # the last state of each token wins
        log_probs = np.log(np.maximum(np.asarray(result.text_token_probs), 1e-10))
        ends: list[int] = []
        means: list[float] = []
        first = len(prefix_ids)
        for word in words:
            end_sample = (end_state.get(first + word.spoken - 1, 0) + 1) * STATE_SAMPLES
            ends.append(min(end_sample, encoded.audio_samples))
            means.append(float(np.mean(log_probs[first : first + len(word.ids)])))
            first += len(word.ids)
        return Alignment(end_sample=tuple(ends), log_prob=tuple(means))

    def _prompt(self, language: str) -> list[int]:
        return [self._start_id, self._special(f"<|{language}|>"), self._transcribe_id]

    def _context_ids(self, language: str) -> list[int]:
        text = _CONTEXT.get(language)
        if text is None:
            return []
        ids = self._tokenizer.encode(text, add_special_tokens=False).ids
        return [self._special("<|startofprev|>"), *ids]

    def _special(self, token: str) -> int:
        token_id = self._tokenizer.token_to_id(token)
        if token_id is None:
            raise HarkenError(
                f"Whisper's tokenizer has no {token}: use languages of Whisper, such as en or zh"
            )
        return int(token_id)
