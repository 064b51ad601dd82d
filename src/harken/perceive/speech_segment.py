"""The open stretch of speech and the audio around it: values and the rules that bound them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harken.perceive.speech_gate import FRAME_SAMPLES, GateState
from harken.perceive.word_pieces import WordPiece

Float32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class WordsRules:
    """When a segment opens, is decoded, commits and closes.

    Lengths in samples at 16 kHz; p_* and max_no_speech are probabilities; min_log_prob* are mean
    natural logarithms per token; *_s are seconds of speech-like frames (stuck: unwritten words that
    make a decoder start afresh; still: spoken since a hypothesis last changed). least_samples: from
    the segment's start, which is lead_samples before the speech, to the end of the speech that is
    worth a first decode; what is agreed on from less is often taken back too late. sure_language: a
    language less probable commits no word before a pause or language_lock_samples of audio.
    """

    p_onset: float = 0.5
    p_speech: float = 0.35
    onset_frames: int = 2
    onset_window_frames: int = 13
    lead_samples: int = 4_800
    trail_samples: int = 3_200
    commit_pause_samples: int = 4_800
    close_pause_samples: int = 4_800
    shift_samples: int = 88_000
    shift_reach_samples: int = 1_600
    seam_samples: int = 4_000
    stuck_speech_s: float = 0.5
    still_speech_s: float = 1.0
    cap_samples: int = 128_000
    every_chunk_samples: int = 64_000
    least_samples: int = 14_400
    min_log_prob: float = -1.0
    max_no_speech: float = 0.6
    min_log_prob_no_speech: float = -0.7
    min_p_mean: float = 0.75
    sure_speech_s: float = 1.5
    clear_p_mean: float = 0.9
    clear_speech_s: float = 0.45
    min_log_prob_clear: float = -1.3
    sure_language: float = 0.9
    language_lock_samples: int = 38_400
    previous_language_weight: float = 3.0


@dataclass(frozen=True, slots=True)
class Segment:
    """The stretch of speech that is open. Samples count from the stream's start.

    committed: words already given out, forced on the decoder. previous: what the last decode
    added to them. committed_end_sample: end of the last committed word. speech_end_sample: end
    of the speech that the last decode saw. decoded_sample: end of the audio that it saw.
    still_since_sample: end of the audio of the first decode that added just `previous`.
    trusted: its words are known to be speech. seam: the word that ended just before the segment
    when that was cut out of running speech, as a key to compare; empty otherwise.
    """

    start_sample: int
    language: str | None = None
    committed: tuple[WordPiece, ...] = ()
    previous: tuple[WordPiece, ...] = ()
    committed_end_sample: int = 0
    speech_end_sample: int = 0
    decoded_sample: int = 0
    still_since_sample: int = 0
    trusted: bool = False
    seam: str = ""

    @property
    def committed_ids(self) -> tuple[int, ...]:
        return tuple(token for word in self.committed for token in word.ids)


@dataclass(frozen=True, slots=True)
class WordsState:
    """Everything the ear remembers: a value, so two continuations of it never meet.

    audio: float32[n], the latest samples, the first being `audio_start_sample` (a multiple of
    512). p_speech: float32[frames] of that audio. closed_sample: where the last segment ended.
    language: what the last segment was spoken in.
    """

    gate: GateState
    audio: Float32
    audio_start_sample: int
    p_speech: Float32
    segment: Segment | None
    closed_sample: int
    language: str | None

    @property
    def end_sample(self) -> int:
        return self.audio_start_sample + len(self.audio)

    @property
    def judged_sample(self) -> int:
        """Up to where the gate has judged."""
        return self.audio_start_sample + len(self.p_speech) * FRAME_SAMPLES


def extended(state: WordsState, gate: GateState, samples: Float32, p_speech: Float32) -> WordsState:
    """`state` with the samples that came and what the gate thinks of them."""
    return replace(
        state,
        gate=gate,
        audio=np.concatenate([state.audio, samples.astype(np.float32, copy=False)]),
        p_speech=np.concatenate([state.p_speech, p_speech]),
    )


def opened(state: WordsState, rules: WordsRules) -> WordsState:
    """Open a segment a little before the first speech-like frame, if there is speech."""
    if state.segment is not None:
        return state
    recent = state.p_speech[-rules.onset_window_frames :]
    first_frame = state.p_speech.shape[0] - recent.shape[0]
    speech_frames = first_frame + np.flatnonzero(recent > rules.p_onset)
    starts = state.audio_start_sample + speech_frames * FRAME_SAMPLES
    starts = starts[starts >= state.closed_sample]
    if starts.shape[0] < rules.onset_frames:
        return state
    earliest = max(state.closed_sample, state.audio_start_sample)
    return replace(state, segment=Segment(max(earliest, int(starts[0]) - rules.lead_samples)))


def speech_end(state: WordsState, rules: WordsRules) -> int:
    """End of the last speech-like frame that is remembered."""
    speech = np.flatnonzero(state.p_speech > rules.p_speech)
    frames = int(speech[-1]) + 1 if speech.shape[0] else 0
    return state.audio_start_sample + frames * FRAME_SAMPLES


@dataclass(frozen=True, slots=True)
class SpeechEvidence:
    """What the gate saw of a segment: seconds of speech-like frames, their mean probability."""

    seconds: float
    p_mean: float


def speech_evidence(
    state: WordsState, rules: WordsRules, start_sample: int, stop_sample: int
) -> SpeechEvidence:
    """What the gate saw between two samples."""
    first = (start_sample - state.audio_start_sample) // FRAME_SAMPLES
    last = (stop_sample - state.audio_start_sample) // FRAME_SAMPLES
    p_speech = state.p_speech[first:last]
    p_speech = p_speech[p_speech > rules.p_speech]
    seconds = p_speech.shape[0] * FRAME_SAMPLES / 16_000
    return SpeechEvidence(seconds, float(p_speech.mean()) if seconds else 0.0)


def believable(
    evidence: SpeechEvidence, no_speech: float, log_prob: float, rules: WordsRules
) -> bool:
    """Whether the first words of a segment are speech, as gate and decoder see it together.

    Barks, bells and machines pass the gate for moments and the decoder always finds words, but
    either the gate wavers (mean below 0.75 where speech has 0.9) or the decoder does. Whisper's
    own rule (no_speech above 0.6 and log_prob below -1) alone lets most of them through.
    """
    clear = evidence.p_mean >= rules.clear_p_mean and evidence.seconds >= rules.clear_speech_s
    if clear:
        return log_prob >= rules.min_log_prob_clear
    if log_prob < rules.min_log_prob:
        return False
    if no_speech > rules.max_no_speech and log_prob < rules.min_log_prob_no_speech:
        return False
    return evidence.p_mean >= rules.min_p_mean or evidence.seconds >= rules.sure_speech_s


def shifted(state: WordsState, segment: Segment, rules: WordsRules) -> Segment:
    """The rest of `segment` as a segment of its own, from the end of its last committed word.

    Short windows are cheap, and a decoder forced through several sentences tends to stop early.
    The word's end is known to about 0.1 s; a dip of the gate close by is the better place.
    """
    end_sample, reach = segment.committed_end_sample, rules.shift_reach_samples
    first = max(0, end_sample - reach - state.audio_start_sample) // FRAME_SAMPLES
    last = (end_sample + reach - state.audio_start_sample) // FRAME_SAMPLES + 1
    nearby = state.p_speech[first:last]
    if nearby.shape[0] and nearby.min() <= rules.p_speech:
        dip = first + int(np.argmin(nearby))
        end_sample = state.audio_start_sample + dip * FRAME_SAMPLES + FRAME_SAMPLES // 2
    return replace(
        segment,
        start_sample=min(end_sample, state.end_sample),
        committed=(),
        seam=segment.committed[-1].key,
    )


def trimmed(state: WordsState, rules: WordsRules) -> WordsState:
    """`state` without the audio that no segment can need any more."""
    if state.segment is not None:
        keep_from = state.segment.start_sample
    else:
        frames = rules.onset_window_frames * FRAME_SAMPLES
        keep_from = state.judged_sample - frames - rules.lead_samples
    drop_frames = max(0, keep_from - state.audio_start_sample) // FRAME_SAMPLES
    if drop_frames == 0:
        return state
    dropped = drop_frames * FRAME_SAMPLES
    return replace(
        state,
        audio=state.audio[dropped:].copy(),
        audio_start_sample=state.audio_start_sample + dropped,
        p_speech=state.p_speech[drop_frames:].copy(),
    )
