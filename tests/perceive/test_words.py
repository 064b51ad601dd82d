"""The words ear on real parts: what it hears, when it commits, and what it must not hear."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from harken.errors import HarkenError
from harken.parts import ensure
from harken.perceive.percept import HeardWord
from harken.perceive.recogniser import Recogniser
from harken.perceive.speech_gate import SpeechGate
from harken.perceive.words import WordsEar, WordsHeard, WordsState
from harken.stream import CHUNK_SAMPLES

pytestmark = pytest.mark.slow

DATA = Path(__file__).parents[1] / "data"
SPOKEN = "you will now be placed into the conference"


@pytest.fixture(scope="module")
def silero_file() -> Path:
    return next(ensure("silero").glob("*.onnx"))


@pytest.fixture(scope="module")
def ear(silero_file: Path) -> WordsEar:
    return WordsEar(ensure("whisper"), silero_file)


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    return recording("speech.flac")


def recording(name: str) -> np.ndarray:
    samples, rate = soundfile.read(DATA / name, dtype="float32")
    assert rate == 16_000
    return samples


def silence(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * 16_000), np.float32)


def chunks(*parts: np.ndarray) -> list[np.ndarray]:
    """The parts one after another, the last chunk filled with zeros."""
    samples = np.concatenate(parts)
    count = -(-len(samples) // CHUNK_SAMPLES)
    return list(np.pad(samples, (0, count * CHUNK_SAMPLES - len(samples))).reshape(count, -1))


def hear_all(
    ear: WordsEar, stream: list[np.ndarray], state: WordsState | None = None
) -> tuple[WordsState, list[WordsHeard]]:
    state = state or ear.start()
    heard = []
    for chunk in stream:
        state, one = ear.hear(state, chunk)
        heard.append(one)
    return state, heard


def text(heard: list[WordsHeard]) -> str:
    return "".join(word.text for one in heard for word in one.words)


def plain(spoken: str) -> str:
    return "".join(c for c in spoken.casefold() if c.isalnum() or c == " ").strip()


def test_a_sentence_is_heard_word_by_word(ear: WordsEar, speech: np.ndarray) -> None:
    _, heard = hear_all(ear, chunks(silence(0.6), speech, silence(1.2)))
    assert plain(text(heard)) == SPOKEN
    words: list[HeardWord] = [word for one in heard for word in one.words]
    assert {word.language for word in words} == {"en"}
    assert all(word.text.startswith(" ") for word in words)
    ends = [word.end_sample for word in words]
    assert ends == sorted(ends)
    speech_start, speech_end = int(0.6 * 16_000), int(0.6 * 16_000) + len(speech)
    assert speech_start < ends[0] < ends[-1] <= speech_end + 4_800
    first_commit = next(i for i, one in enumerate(heard) if one.words)
    assert (first_commit + 1) * CHUNK_SAMPLES < speech_end


def test_no_word_is_committed_before_it_was_said(ear: WordsEar, speech: np.ndarray) -> None:
    _, heard = hear_all(ear, chunks(silence(0.6), speech, silence(1.2)))
    for index, one in enumerate(heard):
        assert all(word.end_sample <= (index + 1) * CHUNK_SAMPLES for word in one.words)


def test_a_pause_commits_everything(ear: WordsEar, speech: np.ndarray) -> None:
    lead = silence(0.6)
    said_after_s = (len(lead) + len(speech)) / 16_000
    _, heard = hear_all(ear, chunks(lead, speech, silence(2.0)))
    last_commit = max(i for i, one in enumerate(heard) if one.words)
    assert (last_commit + 1) * 0.4 <= said_after_s + 0.8
    assert not any(one.re_decoded for one in heard[last_commit + 1 :])


def test_the_end_of_the_stream_commits_everything(ear: WordsEar, speech: np.ndarray) -> None:
    state, heard = hear_all(ear, chunks(silence(0.4), speech))
    assert plain(text([*heard, ear.finish(state)])) == SPOKEN


def test_chinese_is_heard_as_chinese(ear: WordsEar) -> None:
    _, heard = hear_all(ear, chunks(silence(0.6), recording("ideals-zh.opus"), silence(1.2)))
    assert {word.language for one in heard for word in one.words} == {"zh"}
    assert text(heard).startswith("我们要坚持")


def test_two_continuations_of_one_state_do_not_meet(ear: WordsEar, speech: np.ndarray) -> None:
    stream = chunks(silence(0.6), speech, silence(1.2))
    fork, _ = hear_all(ear, stream[:4])
    _, whole = hear_all(ear, stream)
    hear_all(ear, chunks(recording("ideals-zh.opus"), silence(0.8)), fork)
    _, rest = hear_all(ear, stream[4:], fork)
    assert rest == whole[4:]


def test_the_clock_of_a_long_stream_is_exact(ear: WordsEar, speech: np.ndarray) -> None:
    stream = chunks(silence(0.6), speech, silence(1.4))
    state, first = hear_all(ear, stream)
    _, again = hear_all(ear, stream, state)
    assert plain(text(again)) == SPOKEN
    shift = len(stream) * CHUNK_SAMPLES
    first_end = max(word.end_sample for one in first for word in one.words)
    again_end = max(word.end_sample for one in again for word in one.words)
    assert abs(again_end - shift - first_end) <= 1_600


@pytest.mark.parametrize("level", [0.0, 0.003, 0.1])
def test_silence_and_noise_have_no_words(ear: WordsEar, level: float) -> None:
    noise = np.random.default_rng(0).standard_normal(10 * CHUNK_SAMPLES) * level
    state, heard = hear_all(ear, chunks(noise.astype(np.float32)))
    assert text([*heard, ear.finish(state)]) == ""


def test_silence_costs_no_decoding_and_no_memory(ear: WordsEar) -> None:
    state, heard = hear_all(ear, chunks(silence(12.0)))
    assert not any(one.re_decoded for one in heard)
    assert len(state.audio) < 2 * 16_000


def test_a_sound_that_passes_the_gate_has_no_words(ear: WordsEar) -> None:
    state, heard = hear_all(ear, chunks(silence(0.6), recording("karinding.flac"), silence(1.2)))
    assert any(one.re_decoded for one in heard), "the sound should fool the gate at first"
    assert text([*heard, ear.finish(state)]) == ""


@pytest.mark.parametrize("lead_s", [0.5, 0.6, 0.73])
@pytest.mark.parametrize("gap_s", [0.2, 0.28])
def test_a_repeated_sentence_is_heard_as_often_as_it_was_said(
    ear: WordsEar, speech: np.ndarray, lead_s: float, gap_s: float
) -> None:
    gap = silence(gap_s)
    _, heard = hear_all(
        ear, chunks(silence(lead_s), speech, gap, speech, gap, speech, silence(1.2))
    )
    assert plain(text(heard)).count("conference") == 3
    assert plain(text(heard)).endswith("conference")


def test_other_languages_can_be_ruled_out(silero_file: Path) -> None:
    english_only = WordsEar(ensure("whisper"), silero_file, languages=("en",))
    stream = chunks(silence(0.6), recording("ideals-zh.opus"), silence(1.2))
    _, heard = hear_all(english_only, stream)
    assert {word.language for one in heard for word in one.words} <= {"en"}


def test_a_chunk_of_another_length_is_refused(ear: WordsEar) -> None:
    with pytest.raises(HarkenError, match=r"\(6400,\), got \(6399,\)"):
        ear.hear(ear.start(), np.zeros(6_399, np.float32))


def test_an_unknown_language_is_refused_by_name(silero_file: Path) -> None:
    with pytest.raises(HarkenError, match="klingon"):
        WordsEar(ensure("whisper"), silero_file, languages=("en", "klingon"))


def test_missing_and_broken_parts_are_named(tmp_path: Path) -> None:
    with pytest.raises(HarkenError, match=r"no model\.bin in"):
        Recogniser(tmp_path)
    for name in ("model.bin", "config.json", "vocabulary.txt", "tokenizer.json"):
        (tmp_path / name).write_bytes(b"broken")
    with pytest.raises(HarkenError, match="cannot be read"):
        Recogniser(tmp_path)
    with pytest.raises(HarkenError, match="no Silero VAD"):
        SpeechGate(tmp_path / "silero.onnx")
    (tmp_path / "silero.onnx").write_bytes(b"broken")
    with pytest.raises(HarkenError, match="not a readable ONNX network"):
        SpeechGate(tmp_path / "silero.onnx")


def test_the_gate_does_not_depend_on_the_blocks(silero_file: Path, speech: np.ndarray) -> None:
    gate = SpeechGate(silero_file)
    _, at_once = gate.hear(gate.start(), speech)
    state, found = gate.start(), []
    for start in range(0, len(speech), 777):
        state, p_speech = gate.hear(state, speech[start : start + 777])
        found.append(p_speech)
    np.testing.assert_array_equal(np.concatenate(found), at_once)
