"""The words ear: a continuous stream in, committed words out, chunk by chunk.

While somebody speaks, the open segment is decoded after every chunk (every second one when it is
long); a word is committed when two successive hypotheses agree on it and another word follows it,
or when a pause follows. Committed words are forced on the decoder from then on and never taken
back. Time is counted in chunks only, so the same samples give the same words at any speed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harken.errors import HarkenError
from harken.perceive import speech_segment
from harken.perceive.agreement import agreed, without_echo, without_loop
from harken.perceive.percept import HeardWord
from harken.perceive.recogniser import Encoded, Recogniser
from harken.perceive.speech_gate import SpeechGate
from harken.perceive.speech_segment import Segment, SpeechEvidence, WordsRules, WordsState
from harken.perceive.word_pieces import WordPiece
from harken.stream import CHUNK_SAMPLES

Float32 = NDArray[np.float32]

LANGUAGES = ("en", "zh", "fr", "es", "it", "ru", "de", "nl", "cs", "pt", "ja", "ko")
_SENTENCE_ENDS = frozenset(".?!\u3002\uff1f\uff01")  # the last three are the Chinese ones


@dataclass(frozen=True, slots=True)
class WordsHeard:
    """Words committed in one chunk, its mean speech probability, and whether Whisper ran."""

    words: tuple[HeardWord, ...]
    p_speech: float
    re_decoded: bool


@dataclass(frozen=True, slots=True)
class _Decoded:
    """One decode of a segment: the words after the committed ones, and what speaks for them.

    is_sure: whether the language is.
    """

    encoded: Encoded
    language: str
    is_sure: bool
    words: tuple[WordPiece, ...]
    no_speech: float
    evidence: SpeechEvidence


class WordsEar:
    """Recognises speech as a stream; holds weights only, every session keeps its own state."""

    def __init__(
        self,
        whisper_dir: Path,
        silero_file: Path,
        *,
        threads: int = 1,
        languages: tuple[str, ...] = LANGUAGES,
        rules: WordsRules | None = None,
    ) -> None:
        """Load Whisper and Silero.

        Raises:
            HarkenError: a file is missing or unreadable, or a language is unknown.
        """
        if not languages:
            raise HarkenError("the words ear got no language: name at least one, such as en")
        self._recogniser = Recogniser(whisper_dir, threads=threads)
        self._recogniser.check_languages(languages)
        self._gate = SpeechGate(silero_file)
        self._languages = languages
        self._rules = rules or WordsRules()

    def start(self) -> WordsState:
        """The state of a stream of which nothing was heard yet."""
        nothing = np.zeros(0, np.float32)
        return WordsState(self._gate.start(), nothing, 0, nothing, None, 0, None)

    def hear(
        self, state: WordsState, chunk: Float32, *, spare: bool = False
    ) -> tuple[WordsState, WordsHeard]:
        """Hear the next float32[6400] of the stream at 16 kHz; `state` itself stays valid.

        spare: decode at pauses only, not again and again while somebody speaks: words come later
        for a fraction of the work.

        Raises:
            HarkenError: the chunk has another shape.
        """
        if chunk.shape != (CHUNK_SAMPLES,):
            raise HarkenError(
                f"the words ear hears chunks of shape ({CHUNK_SAMPLES},), got {chunk.shape}: "
                "cut the stream with the chunker first"
            )
        gate, p_speech = self._gate.hear(state.gate, chunk)
        state = speech_segment.extended(state, gate, chunk, p_speech)
        state = speech_segment.opened(state, self._rules)
        state, words, re_decoded = self._advanced(state, spare)
        state = speech_segment.trimmed(state, self._rules)
        return state, WordsHeard(words, float(np.mean(p_speech)), re_decoded)

    def finish(self, state: WordsState) -> WordsHeard:
        """Commit what is still open at the end of the stream."""
        segment = state.segment
        if segment is None or self._all_given(state, segment):
            return WordsHeard((), 0.0, False)
        _, words = self._commit_all(state, segment, state.end_sample)
        return WordsHeard(words, 0.0, True)

    def _advanced(
        self, state: WordsState, spare: bool
    ) -> tuple[WordsState, tuple[HeardWord, ...], bool]:
        """What this chunk brings to the open segment: decode, commit, close, cut or nothing."""
        segment, rules = state.segment, self._rules
        if segment is None:
            return state, (), False
        speech_end = speech_segment.speech_end(state, rules)
        pause_samples = state.judged_sample - speech_end
        words: tuple[HeardWord, ...] = ()
        re_decoded = False
        if pause_samples >= rules.commit_pause_samples:
            if not self._all_given(state, segment):
                until_sample = min(speech_end + rules.trail_samples, state.end_sample)
                segment, words = self._commit_all(state, segment, until_sample)
                re_decoded = True
            if pause_samples >= rules.close_pause_samples:
                language = segment.language or state.language
                closed = replace(state, segment=None, closed_sample=speech_end, language=language)
                return closed, words, re_decoded
        elif state.judged_sample - segment.start_sample >= rules.cap_samples:
            segment, words = self._commit_all(state, segment, state.end_sample)
            segment = Segment(state.end_sample, segment.language, trusted=segment.trusted)
            re_decoded = True
        elif not spare and self._is_due(state, segment, speech_end):
            segment, words = self._commit_agreed(state, segment)
            re_decoded = True
        return replace(state, segment=segment), words, re_decoded

    def _all_given(self, state: WordsState, segment: Segment) -> bool:
        """Whether the last decode saw all the speech there is and gave out all its words."""
        seen_sample = max(segment.speech_end_sample, segment.start_sample)
        heard_new = speech_segment.speech_end(state, self._rules) > seen_sample
        return not heard_new and not segment.previous

    def _is_due(self, state: WordsState, segment: Segment, speech_end: int) -> bool:
        if speech_end <= segment.speech_end_sample:
            return False
        if speech_end - segment.start_sample < self._rules.least_samples:
            return False
        undecided_from = segment.committed_end_sample or segment.start_sample
        long = state.end_sample - undecided_from > self._rules.every_chunk_samples
        return not long or state.end_sample - segment.decoded_sample > CHUNK_SAMPLES

    def _commit_agreed(
        self, state: WordsState, segment: Segment
    ) -> tuple[Segment, tuple[HeardWord, ...]]:
        decoded, segment = self._decode(state, segment, state.end_sample)
        # The last word may still be growing.
        same_count = agreed(segment.previous, decoded.words)
        count = min(same_count, len(decoded.words) - 1) if decoded.is_sure else 0
        is_same = same_count == len(segment.previous) == len(decoded.words)
        still_since = segment.still_since_sample if is_same else state.end_sample
        committed = len(segment.committed)
        segment, heard = self._commit(segment, decoded, max(0, count))
        taken = len(segment.committed) - committed
        segment = replace(segment, previous=decoded.words[taken:], still_since_sample=still_since)
        if not heard and decoded.is_sure and self._stands_still(state, segment):
            segment, heard = self._commit_all(state, segment, still_since + CHUNK_SAMPLES)
            is_left_behind = bool(heard)
        else:
            is_left_behind = bool(heard) and self._is_settled(segment)
        if is_left_behind:
            segment = speech_segment.shifted(state, segment, self._rules)
        return segment, heard

    def _stands_still(self, state: WordsState, segment: Segment) -> bool:
        """Whether much was spoken since the hypothesis last changed.

        Forced through the first of several equal sentences, Whisper takes the others for an echo
        and writes nothing more.
        """
        if not segment.previous:
            return False
        unwritten = speech_segment.speech_evidence(
            state, self._rules, segment.still_since_sample, state.end_sample
        )
        return unwritten.seconds >= self._rules.still_speech_s

    def _is_settled(self, segment: Segment) -> bool:
        """Whether what was committed is a sentence, or long enough to be left behind."""
        length = segment.committed_end_sample - segment.start_sample
        last_letter = segment.committed[-1].text.rstrip()[-1:]
        return last_letter in _SENTENCE_ENDS or length >= self._rules.shift_samples

    def _commit_all(
        self, state: WordsState, segment: Segment, until_sample: int
    ) -> tuple[Segment, tuple[HeardWord, ...]]:
        decoded, segment = self._decode(state, segment, until_sample)
        segment, heard = self._commit(segment, decoded, len(decoded.words), at_pause=True)
        return replace(segment, previous=()), heard

    def _decode(
        self, state: WordsState, segment: Segment, until_sample: int
    ) -> tuple[_Decoded, Segment]:
        """Decode the segment up to `until_sample`, without its past if that stops the decoder."""
        decoded, after = self._decode_once(state, segment, until_sample)
        if decoded.words or not segment.committed:
            return decoded, after
        unheard = speech_segment.speech_evidence(
            state, self._rules, segment.committed_end_sample, until_sample
        )
        if unheard.seconds < self._rules.stuck_speech_s:
            return decoded, after
        fresh = speech_segment.shifted(state, segment, self._rules)
        return self._decode_once(state, fresh, until_sample)

    def _decode_once(
        self, state: WordsState, segment: Segment, until_sample: int
    ) -> tuple[_Decoded, Segment]:
        rules, start = self._rules, segment.start_sample
        window = state.audio[start - state.audio_start_sample :][: until_sample - start]
        encoded = self._recogniser.encode(window)
        language, p_language = (
            (segment.language, 1.0) if segment.language else self._likeliest(state, encoded)
        )
        hypothesis = self._recogniser.transcribe(
            encoded,
            language,
            segment.committed_ids,
            prefix_end_sample=max(0, segment.committed_end_sample - start),
        )
        evidence = speech_segment.speech_evidence(state, rules, start, until_sample)
        words = without_loop(segment.committed, hypothesis.words, evidence.seconds)
        is_sure = (
            p_language >= rules.sure_language
            or encoded.audio_samples >= rules.language_lock_samples
        )
        segment = replace(
            segment,
            language=language if is_sure else None,
            speech_end_sample=min(speech_segment.speech_end(state, rules), until_sample),
            decoded_sample=until_sample,
        )
        decoded = _Decoded(encoded, language, is_sure, words, hypothesis.no_speech, evidence)
        return decoded, segment

    def _commit(
        self,
        segment: Segment,
        decoded: _Decoded,
        count: int,
        *,
        at_pause: bool = False,
    ) -> tuple[Segment, tuple[HeardWord, ...]]:
        """Give out `count` words, unless they open a segment and nothing says that it is speech."""
        if count == 0:
            return segment, ()
        # All words are aligned: the last one of a text takes whatever audio is left.
        aligned = self._recogniser.align(
            decoded.encoded, decoded.language, segment.committed_ids, decoded.words
        )
        log_prob = float(np.mean(aligned.log_prob[:count]))
        if not segment.trusted and not speech_segment.believable(
            decoded.evidence, decoded.no_speech, log_prob, self._rules
        ):
            return segment, ()
        kept = decoded.words[:count]
        if at_pause:
            kept = without_echo(kept, aligned.end_sample)
        heard = tuple(
            HeardWord(
                word.text,
                max(segment.start_sample + end, segment.committed_end_sample),
                decoded.language,
            )
            for word, end in zip(kept, aligned.end_sample, strict=False)
        )
        after = replace(
            segment,
            language=decoded.language,
            committed=(*segment.committed, *kept),
            committed_end_sample=heard[-1].end_sample,
            trusted=True,
        )
        # A cut leaves the tail of a word behind, which the decoder likes to hear as that word.
        is_tail = not segment.committed and kept[0].key == segment.seam != ""
        if is_tail and aligned.end_sample[0] < self._rules.seam_samples:
            heard = heard[1:]
        return after, heard

    def _likeliest(self, state: WordsState, encoded: Encoded) -> tuple[str, float]:
        """Of the allowed languages, leaning to the one heard before; and how probable it is."""
        weights = self._recogniser.language_probabilities(encoded, self._languages)
        if state.language in weights:
            weights[state.language] *= self._rules.previous_language_weight
        language = max(weights, key=lambda language: weights[language])
        return language, weights[language] / (sum(weights.values()) or 1.0)
