"""A folder of recordings as a lesson: what is taken, what is refused and why."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from harken.errors import HarkenError
from harken.soundflow.lesson import LONGEST_TEXT, Lesson, lesson_name, read_lesson
from harken.stream import SAMPLE_RATE

SAY = "The kettle is boiling."


def ring(seed: int, seconds: float = 0.8, rate: int = SAMPLE_RATE) -> np.ndarray:
    """A struck tone of its own pitch, in silence."""
    random = np.random.default_rng(seed)
    t = np.arange(int(seconds * rate)) / rate
    tone = np.sin(2 * np.pi * random.uniform(800, 2000) * t) * np.exp(-4 * t)
    return (0.4 * tone).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten good recordings in several formats and rates, one in a folder below."""
    kettle = tmp_path / "My kettle"
    (kettle / "kitchen").mkdir(parents=True)
    for n in range(9):
        suffix, rate = ((".wav", 16_000), (".flac", 44_100), (".ogg", 48_000))[n % 3]
        soundfile.write(kettle / f"take {n}{suffix}", ring(n, rate=rate), rate)
    soundfile.write(kettle / "kitchen" / "take.wav", np.stack([ring(9), ring(9)], 1), SAMPLE_RATE)
    (kettle / ".hidden").write_bytes(b"no audio")
    return kettle


def test_one_in_five_is_held_out_and_nothing_is_in_both(folder: Path) -> None:
    lesson = read_lesson(folder, f"  {SAY}\n")
    assert (lesson.name, lesson.text, lesson.policies) == ("my-kettle", SAY, ("care",))
    assert len(lesson.taught) == 8 and len(lesson.held_out) == 2 and not lesson.refused
    events = [c.tobytes() for c in (*lesson.taught, *lesson.held_out)]
    assert len(set(events)) == 10
    for clip in (*lesson.taught, *lesson.held_out):
        assert clip.dtype == np.float32 and len(clip) % 3200 == 0 and np.abs(clip).max() > 0.1
    assert lesson.clips("train") is lesson.taught and lesson.clips("dev") is lesson.held_out


def test_names_of_files_do_not_matter_and_replies_do(folder: Path) -> None:
    before = read_lesson(folder, SAY)
    (folder / "take 0.wav").rename(folder / "zz.wav")
    assert read_lesson(folder, SAY).digest == before.digest
    assert read_lesson(folder, "Tea!").digest != before.digest
    assert read_lesson(folder, SAY, policies=["care", "quiet"]).digest != before.digest


def test_what_cannot_be_learnt_from_is_named_with_its_reason(folder: Path) -> None:
    (folder / "notes.txt").write_text("boils at 7")
    (folder / "empty.wav").write_bytes(b"")
    (folder / "samples.raw").write_bytes(b"\0\1" * 8000)
    spoilt = ring(20)
    spoilt[5] = np.nan
    soundfile.write(folder / "nan.wav", spoilt, SAMPLE_RATE, subtype="FLOAT")
    soundfile.write(folder / "silent.wav", np.zeros(8000, np.float32), SAMPLE_RATE)
    soundfile.write(folder / "click.wav", ring(21, 0.05), SAMPLE_RATE)
    soundfile.write(folder / "hour.wav", np.tile(ring(22), 90), SAMPLE_RATE)
    (folder / "copy.wav").write_bytes((folder / "take 0.wav").read_bytes())
    lesson = read_lesson(folder, SAY)
    assert len(lesson.taught) + len(lesson.held_out) == 10
    reasons = {each.file: each.reason for each in lesson.refused}
    assert reasons.keys() == {
        "notes.txt", "empty.wav", "nan.wav", "silent.wav", "click.wav", "hour.wav", "take 0.wav",
        "samples.raw",
    }  # fmt: skip
    assert "NaN" in reasons["nan.wav"]
    assert "quieter" in reasons["silent.wav"]
    assert "less than 0.1" in reasons["click.wav"]
    assert "72 s, more than 60" in reasons["hour.wav"]
    assert "copy" in reasons["take 0.wav"], "the files come in the order of their names"


def test_a_lesson_is_read_back_as_it_was_saved(folder: Path, tmp_path: Path) -> None:
    lesson = read_lesson(folder, SAY, policies=["quiet", "care"], emotion="happy")
    lesson.save(tmp_path / "there")
    again = Lesson.load(tmp_path / "there")
    assert again.digest == lesson.digest
    assert [len(c) for c in again.held_out] == [len(c) for c in lesson.held_out]


def test_a_torn_lesson_is_told(tmp_path: Path) -> None:
    (tmp_path / "lesson.npz").write_bytes(b"PK torn")
    with pytest.raises(HarkenError, match=r"cannot be read.*teach again"):
        Lesson.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"text": "  \n "}, r"the reply is empty.*--say"),
        ({"text": "a" * (LONGEST_TEXT + 1)}, r"201 characters, more than 200"),
        ({"policies": ["loud"]}, r"no policy 'loud'; choose from quiet, care"),
        ({"policies": []}, r"no policy is given"),
        ({"emotion": "bored"}, r"no emotion 'bored'; choose from happy"),
    ],
)
def test_a_wrong_reply_is_told_before_anything_is_read(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    asked = {"text": SAY} | change
    with pytest.raises(HarkenError, match=message):
        read_lesson(tmp_path / "missing", **asked)  # type: ignore[arg-type]


def test_a_folder_without_enough_is_told(tmp_path: Path) -> None:
    with pytest.raises(HarkenError, match=r"no folder .*missing"):
        read_lesson(tmp_path / "missing", SAY)
    with pytest.raises(HarkenError, match=r"is empty; put recordings"):
        read_lesson(tmp_path, SAY)
    (tmp_path / "notes.txt").write_text("none")
    for n in range(4):
        soundfile.write(tmp_path / f"{n}.wav", ring(n), SAMPLE_RATE)
    with pytest.raises(HarkenError, match=r"has 4 recordings.*at least 5.*notes\.txt: ") as told:
        read_lesson(tmp_path, SAY)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("folder", "name"), [("Cat flap!", "cat-flap"), ("门铃", "门铃"), ("!!", "lesson")]
)
def test_the_name_comes_from_the_folder(tmp_path: Path, folder: str, name: str) -> None:
    assert lesson_name(tmp_path / folder) == name
