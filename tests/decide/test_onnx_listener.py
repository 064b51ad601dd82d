"""The listener on the real decoder: what it thinks depends on what it heard, not on how."""

import itertools
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from harken.decide.checkpoint import Calibration, Checkpoint
from harken.decide.listener import Audible, Judgement, State
from harken.decide.onnx_listener import OnnxListener
from harken.errors import HarkenError
from harken.perceive.percept import HeardWord, Percept
from harken.stream import Prefix, Profile, Said, Timeline, Vocabulary, write
from harken.stream.profile import EMOTIONS
from harken.stream.writer import response_piece

PREFIX = Prefix("care", "Be brief.")
# Backlogs and single steps multiply matrices of other sizes, so they round differently.
TOLERANCE = 2e-3


@pytest.fixture(scope="module")
def listener(decoder_folder: Path, random_checkpoint: Checkpoint) -> OnnxListener:
    return OnnxListener(decoder_folder, random_checkpoint)


def percept(chunk: int, text: str = "") -> Percept:
    """Something that no other chunk sounds like."""
    random = np.random.default_rng(chunk)
    sound = np.concatenate([random.random(521) ** 8, np.maximum(0, random.standard_normal(1024))])
    words = (HeardWord(text, (chunk + 1) * 6_400, "en"),) if text else ()
    acoustic = random.standard_normal(2560).astype(np.float16)
    return Percept(chunk, sound.astype(np.float16), acoustic, words, -20.0, 0.0)


def audible(chunks: range, words_at: int = -1) -> list[Audible]:
    return [Audible(percept(c, " Hello there" if c == words_at else "")) for c in chunks]


def stepped(
    listener: OnnxListener, state: State, chunks: Sequence[Audible]
) -> tuple[State, list[Judgement]]:
    """One chunk at a time, always silent."""
    judged = []
    for n, chunk in enumerate(chunks):
        if n:
            state = listener.decide(state, judged[-1], "silent")
        state, [judgement] = listener.hear(state, [chunk])
        judged.append(judgement)
    return state, judged


def assert_same(left: Sequence[Judgement], right: Sequence[Judgement]) -> None:
    assert [(j.chunk, j.position, j.playing) for j in left] == [
        (j.chunk, j.position, j.playing) for j in right
    ]
    for a, b in zip(left, right, strict=True):
        np.testing.assert_allclose(a.probabilities, b.probabilities, atol=TOLERANCE)


def test_a_backlog_is_judged_as_step_by_step(listener: OnnxListener) -> None:
    chunks = audible(range(10), words_at=4)
    chunks[6:8] = [replace(c, playing=True) for c in chunks[6:8]]
    behind, at_once = listener.hear(listener.start(PREFIX), chunks)
    ahead, singly = stepped(listener, listener.start(PREFIX), chunks)
    assert_same(at_once, singly)
    assert (behind.length, behind.pending) == (ahead.length, ahead.pending)
    # The probabilities vary, so that their equality says something.
    assert np.std([j.p_respond for j in at_once]) > 0.1


def test_probabilities_are_probabilities(listener: OnnxListener, mini: Profile) -> None:
    _, judged = listener.hear(listener.start(PREFIX), audible(range(3)))
    for judgement in judged:
        assert judgement.probabilities.shape == (len(mini.decisions),)
        assert judgement.probabilities.sum() == pytest.approx(1, abs=1e-5)
        assert judgement.p_respond == float(judgement.probabilities[1])


def test_going_back_forgets_what_was_heard_behind(listener: OnnxListener) -> None:
    chunks = audible(range(8), words_at=5)
    state, judged = listener.hear(listener.start(PREFIX), chunks)
    back = listener.decide(state, judged[2], "silent")
    _, again = listener.hear(back, chunks[3:6])

    never, first = listener.hear(listener.start(PREFIX), chunks[:3])
    _, only = listener.hear(listener.decide(never, first[2], "silent"), chunks[3:6])
    assert_same(again, only)


def test_a_response_after_going_back_is_that_of_a_session_that_heard_no_more(
    listener: OnnxListener, mini: Profile
) -> None:
    chunks = audible(range(6))
    state, judged = listener.hear(listener.start(PREFIX), chunks)
    said = [i for i, _ in islice(listener.say(listener.decide(state, judged[3], "respond")), 6)]

    never, first = listener.hear(listener.start(PREFIX), chunks[:4])
    only = [i for i, _ in islice(listener.say(listener.decide(never, first[3], "respond")), 6)]
    assert said == only
    assert said[0] in mini.emotion_ids
    assert not mini.control_ids & set(said[1:])


def test_what_was_said_is_heard_by_the_next_chunk(listener: OnnxListener, mini: Profile) -> None:
    state, [judgement] = listener.hear(listener.start(PREFIX), audible(range(1)))
    _, after_silence = listener.hear(
        listener.decide(state, judgement, "silent"), audible(range(1, 2))
    )
    responding = listener.decide(state, judgement, "respond")
    *_, (last, spoken) = islice(listener.say(responding), 4)
    assert spoken.pending == (last,)
    _, after_speech = listener.hear(spoken, audible(range(1, 2)))
    assert after_speech[0].position == after_silence[0].position + 4
    assert abs(after_speech[0].p_respond - after_silence[0].p_respond) > 1e-3


def saying(
    decoder_folder: Path, checkpoint: Checkpoint, emotion: str, score: np.ndarray
) -> OnnxListener:
    """With emotions that are all fed alike and score nothing, but one scores `score`."""
    tensors = {n: checkpoint.tensors[n].copy() for n in ("controls.input", "controls.output")}
    own = checkpoint.profile.own_row_ids
    rows = [own.index(i) for i in checkpoint.profile.emotion_ids]
    tensors["controls.input"][rows] = tensors["controls.input"][rows[0]]
    tensors["controls.output"][rows] = 0
    tensors["controls.output"][rows[EMOTIONS.index(emotion)]] = score
    changed = replace(checkpoint, tensors={**checkpoint.tensors, **tensors})
    return OnnxListener(decoder_folder, changed)


def test_a_response_does_not_depend_on_whether_its_emotion_was_the_likely_one(
    decoder_folder: Path, random_checkpoint: Checkpoint
) -> None:
    direction = random_checkpoint.tensors["controls.output"][0]
    found = {}
    for emotion, score in itertools.product(("normal", "sad"), (direction, -direction)):
        listener = saying(decoder_folder, random_checkpoint, emotion, score)
        state, [judgement] = listener.hear(listener.start(PREFIX), audible(range(1)))
        responding = listener.decide(state, judgement, "respond")
        (first, _), *rest = islice(listener.say(responding), 4)
        _, [after] = listener.hear(rest[-1][1], audible(range(1, 2)))
        ids = listener.profile.emotion_ids
        found[EMOTIONS[ids.index(first)]] = ([i for i, _ in rest], after)
    (fast, after_fast), (slow, after_slow) = found["normal"], found["sad"]
    assert fast == slow
    assert after_fast.position == after_slow.position
    # A pass of two rounds otherwise than two passes, and untrained rows are far from certain.
    assert abs(after_fast.p_respond - after_slow.p_respond) < 0.1


def test_positions_are_those_of_the_stream_contract(listener: OnnxListener, mini: Profile) -> None:
    vocabulary: Vocabulary = listener.vocabulary
    state, judged = listener.hear(listener.start(PREFIX), audible(range(4), words_at=1))
    state = listener.decide(state, judged[3], "respond")
    ids, _ = response_piece(vocabulary, "Yes.", "happy")
    state, _ = listener.hear(replace(state, pending=(*state.pending, *ids)), audible(range(4, 5)))
    timeline = Timeline(PREFIX, 4, said=(Said(3, "Yes.", "happy"),))
    words = 1 + len(vocabulary.encode(" Hello there"))
    assert state.length == len(write(timeline, vocabulary)) + words + mini.audio_positions


def test_words_and_our_own_voice_enter_the_judgement(listener: OnnxListener) -> None:
    plain = audible(range(1))
    with_words = audible(range(1), words_at=0)
    while_playing = [replace(plain[0], playing=True)]
    _, [alone] = listener.hear(listener.start(PREFIX), plain)
    for other, positions in ((with_words, 3), (while_playing, 1)):
        _, [judgement] = listener.hear(listener.start(PREFIX), other)
        assert judgement.position == alone.position + positions
        assert (judgement.overheard, alone.overheard) == (other is with_words, False)
        assert np.abs(judgement.probabilities - alone.probabilities).max() > 1e-3


def test_a_fork_goes_its_own_way(listener: OnnxListener) -> None:
    state, judged = listener.hear(listener.start(PREFIX), audible(range(3)))
    here = listener.decide(state, judged[2], "silent")
    there = listener.fork(here)
    assert (there.length, there.pending) == (here.length, here.pending)
    _, expected = listener.hear(here, audible(range(3, 6)))
    # The one overwrites what the other would read, were the cache shared.
    listener.hear(here, audible(range(10, 13)))
    _, forked = listener.hear(there, audible(range(3, 6)))
    assert_same(forked, expected)
    listener.hear(there, audible(range(20, 23)))
    _, again = listener.hear(here, audible(range(3, 6)))
    assert_same(again, expected)


def test_a_cache_that_nobody_needs_serves_the_next_session(
    decoder_folder: Path, random_checkpoint: Checkpoint
) -> None:
    listener = OnnxListener(decoder_folder, random_checkpoint)
    first = listener.start(PREFIX)
    _, expected = listener.hear(first, audible(range(3)))
    arrays = first.cache.values
    beside = listener.start(PREFIX)
    assert beside.cache.values is not arrays, "two sessions hold one cache"
    first, _ = listener.hear(first, audible(range(50, 90)))
    del first
    again = listener.start(PREFIX)
    assert again.cache.values is arrays
    _, found = listener.hear(again, audible(range(3)))
    assert_same(found, expected)


def test_hearing_nothing_changes_nothing(listener: OnnxListener) -> None:
    state = listener.start(PREFIX)
    assert listener.hear(state, []) == (state, [])


def test_the_prefix_is_read(listener: OnnxListener) -> None:
    _, [calm] = listener.hear(listener.start(Prefix("quiet")), audible(range(1)))
    _, [eager] = listener.hear(listener.start(Prefix("narrate")), audible(range(1)))
    assert np.abs(calm.probabilities - eager.probabilities).max() > 1e-3


def test_a_context_is_used_to_its_end_and_more_is_one_error(
    decoder_folder: Path, random_checkpoint: Checkpoint
) -> None:
    room = 64
    profile = replace(random_checkpoint.profile, context=room)
    narrow = OnnxListener(decoder_folder, replace(random_checkpoint, profile=profile))
    start = narrow.start(PREFIX)
    fitting = (room - start.length + 1) // 3  # two audio positions and a decision, but the last
    full, judged = narrow.hear(start, audible(range(fitting)))
    assert room - 3 < full.length <= room
    with pytest.raises(HarkenError, match=f"{start.length} of {room} positions") as refused:
        narrow.hear(start, audible(range(fitting + 1)))
    assert "\n" not in str(refused.value)
    # The session goes on where it was.
    _, again = narrow.hear(start, audible(range(fitting)))
    assert_same(again, judged)


def test_calibration_moves_the_probability_of_a_response(
    decoder_folder: Path, random_checkpoint: Checkpoint, listener: OnnxListener
) -> None:
    calibrated = OnnxListener(
        decoder_folder, replace(random_checkpoint, calibration=Calibration(2.0, -1.0))
    )
    _, [raw] = listener.hear(listener.start(PREFIX), audible(range(1)))
    _, [judgement] = calibrated.hear(calibrated.start(PREFIX), audible(range(1)))
    logits = np.log(raw.probabilities) / 2 + np.array([0, -1, 0])
    expected = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(judgement.probabilities, expected, atol=1e-4)


def test_lora_and_adapters_are_used(
    decoder_folder: Path, random_checkpoint: Checkpoint, listener: OnnxListener
) -> None:
    _, [full] = listener.hear(listener.start(PREFIX), audible(range(1)))
    for without in ("layers.12.down.lora_b", "sound.scores", "acoustic.weight"):
        tensors = dict(random_checkpoint.tensors)
        tensors[without] = np.zeros_like(tensors[without])
        other = OnnxListener(decoder_folder, replace(random_checkpoint, tensors=tensors))
        _, [judgement] = other.hear(other.start(PREFIX), audible(range(1)))
        assert np.abs(judgement.probabilities - full.probabilities).max() > 1e-4, without


@pytest.mark.parametrize(
    ("name", "shape", "why"),
    [
        ("layers.0.qkv.lora_a", (896, 8), r"is \[896, 8\], the decoder takes \[896, 16\]"),
        ("layers.99.qkv.lora_a", (896, 16), "belongs to no matrix"),
    ],
)
def test_lora_for_another_decoder_is_refused_by_name(
    decoder_folder: Path,
    random_checkpoint: Checkpoint,
    name: str,
    shape: tuple[int, ...],
    why: str,
) -> None:
    tensors = random_checkpoint.tensors | {name: np.zeros(shape, np.float32)}
    with pytest.raises(HarkenError, match=f"tensor {name} of the checkpoint {why}"):
        OnnxListener(decoder_folder, replace(random_checkpoint, tensors=tensors))


def test_a_checkpoint_of_another_width_is_refused(decoder_folder: Path, tiny: Profile) -> None:
    rows = np.zeros((len(tiny.own_rows), 32), np.float32)
    tensors = {"controls.input": rows, "controls.output": rows}
    for name, n in (("sound.scores", 521), ("sound.embedding", 1024), ("acoustic.weight", 2560)):
        tensors[name] = np.zeros((n, 32), np.float32)
    tensors |= {n: np.zeros(32, np.float32) for n in ("sound.bias", "acoustic.bias")}
    with pytest.raises(HarkenError, match=r"profile tiny has 32 numbers a position.* 896"):
        OnnxListener(decoder_folder, Checkpoint(tiny, tensors))


def hard_link_or_copy(file: Path, target: Path) -> None:
    """Hundreds of megabytes are linked where the file system can; links of names are refused."""
    try:
        os.link(file, target)
    except OSError:
        shutil.copy(file, target)


@pytest.mark.parametrize(
    "cut",
    [
        "decoder.onnx",
        "decoder.weights",
        "head.onnx",
        "head.weights",
        "tokenizer.json",
        "embedding.int8.npy",
        "embedding.scale.npy",
    ],
)
def test_a_cut_file_of_the_decoder_is_refused_in_one_line(
    decoder_folder: Path, random_checkpoint: Checkpoint, tmp_path: Path, cut: str
) -> None:
    for file in decoder_folder.iterdir():
        if file.name == cut:
            with file.open("rb") as whole:
                (tmp_path / cut).write_bytes(whole.read(min(10**6, file.stat().st_size // 2)))
        else:
            hard_link_or_copy(file, tmp_path / file.name)
    with pytest.raises(HarkenError, match=r"delete the folder .* and run again") as refused:
        OnnxListener(tmp_path, random_checkpoint)
    assert "\n" not in str(refused.value)
