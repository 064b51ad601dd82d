import gzip
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harken.errors import HarkenError
from harken.soundflow.readers.audio import load
from harken.soundflow.readers.reading import read_corpus
from harken.soundflow.readers.record import Audio, Reason, Word

Write = Callable[..., Path]


def append(path: Path, *lines: str) -> None:
    with gzip.open(path, "at", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)


@pytest.fixture
def manifests(tmp_path: Path, tone: Write) -> Path:
    """Recordings and supervisions as a Lhotse recipe leaves them, one of them broken."""
    from lhotse import Recording, RecordingSet, SupervisionSegment, SupervisionSet
    from lhotse.supervision import AlignmentItem

    recordings = [
        Recording.from_file(tone(tmp_path / f"{name}.flac", seconds=2.0), recording_id=name)
        for name in ("talk", "bell", "hum", "gone")
    ]
    (tmp_path / "gone.flac").unlink()
    aligned = {"word": [AlignmentItem("hello", 1.25, 0.25), AlignmentItem("", 1.5, 0.25)]}
    supervisions = [
        SupervisionSegment("t1", "talk", 0.0, 1.0, text="", language="English"),
        SupervisionSegment(
            "t2", "talk", 1.0, 1.0, text="hello", language="English", speaker="s", alignment=aligned
        ),
        SupervisionSegment(
            "b1", "bell", 0.5, 0.5, custom={"labels": ["bell"], "license": "CC0-1.0"}
        ),
        SupervisionSegment("g1", "gone", 0.0, 1.0, text="gone"),
        SupervisionSegment("o1", "orphan", 0.0, 1.0, text="orphan"),
    ]
    RecordingSet.from_recordings(recordings).to_file(tmp_path / "demo_recordings_train-a.jsonl.gz")
    SupervisionSet.from_segments(supervisions).to_file(
        tmp_path / "demo_supervisions_train-a.jsonl.gz"
    )
    return tmp_path


def test_recordings_with_supervisions(manifests: Path) -> None:
    append(manifests / "demo_recordings_train-a.jsonl.gz", '{"id": "no recording"}', "{torn")
    reading = read_corpus("lhotse", manifests, licence="CC-BY-4.0")
    talk, bell, hum = reading
    assert (talk.id, talk.kind, talk.text) == ("lhotse/t2", "speech", "hello")
    assert (talk.language, talk.speaker, talk.split) == ("en", "s", "train-a")
    assert talk.audio == Audio(manifests / "talk.flac", start_s=1.0, duration_s=1.0)
    assert talk.words == (Word("hello", 0.25, 0.5),)
    assert (bell.kind, bell.labels, bell.licence) == ("event", ("bell",), "CC0-1.0")
    assert (hum.id, hum.kind, hum.licence, hum.seconds) == ("lhotse/hum", "noise", "CC-BY-4.0", 2.0)
    assert reading.refused == Counter(
        {Reason.MALFORMED: 2, Reason.UNREADABLE: 2, Reason.EMPTY_TEXT: 1}
    )


def test_cuts_come_first_and_count_from_their_recording(manifests: Path) -> None:
    from lhotse import CutSet, RecordingSet, SupervisionSet

    cuts = CutSet.from_manifests(
        RecordingSet.from_file(manifests / "demo_recordings_train-a.jsonl.gz"),
        SupervisionSet.from_file(manifests / "demo_supervisions_train-a.jsonl.gz"),
    )
    talk = next(cut for cut in cuts if cut.recording_id == "talk")
    late = talk.truncate(offset=0.75).with_id("late")
    mixed = late.mix(late).with_id("mixed")
    CutSet.from_cuts([late, mixed]).to_file(manifests / "demo_cuts_dev.jsonl.gz")
    reading = read_corpus("lhotse", manifests, licence="CC-BY-4.0")
    (record,) = reading
    assert (record.id, record.split) == ("lhotse/t2", "dev")
    assert record.audio == Audio(manifests / "talk.flac", start_s=1.0, duration_s=1.0)
    assert record.words == (Word("hello", 0.25, 0.5),)
    assert reading.refused == Counter({Reason.MALFORMED: 1, Reason.EMPTY_TEXT: 1})


def test_a_manifest_runs_no_command(tmp_path: Path) -> None:
    from lhotse import AudioSource, Recording, RecordingSet

    touched = tmp_path / "touched"
    source = AudioSource(type="command", channels=[0], source=f"touch {touched}")
    recording = Recording("r", [source], sampling_rate=16_000, num_samples=160, duration=0.01)
    RecordingSet.from_recordings([recording]).to_file(tmp_path / "recordings.jsonl.gz")
    reading = read_corpus("lhotse", tmp_path, licence="CC0-1.0")
    assert list(reading) == []
    assert reading.refused == Counter({Reason.UNREADABLE: 1})
    assert not touched.exists()


@pytest.fixture
def shar(tmp_path: Path, tone: Write) -> Path:
    from lhotse import CutSet, Recording, SupervisionSegment

    cuts = []
    for number in range(3):
        path = tone(tmp_path / "in" / f"{number}.wav", seconds=1.0 + number)
        cut = Recording.from_file(path, recording_id=f"r{number}").to_cut().with_id(f"c{number}")
        cut.supervisions = [SupervisionSegment(f"s{number}", f"r{number}", 0.5, 0.5, text="word")]
        cut.custom = {"license": "CC0-1.0"}
        cuts.append(cut)
    folder = tmp_path / "shar"
    folder.mkdir()
    CutSet.from_cuts(cuts).to_shar(folder, fields={"recording": "flac"}, shard_size=2)
    return folder


def test_shar(shar: Path, tmp_path: Path) -> None:
    reading = read_corpus("shar", shar)
    records = list(reading)
    assert [record.id for record in records] == ["shar/s0", "shar/s1", "shar/s2"]
    assert {record.licence for record in records} == {"CC0-1.0"}
    last = records[-1].audio
    assert last is not None
    assert (last.path.name, last.member, last.start_s) == ("recording.000001.tar", "c2.flac", 0.5)
    original = load(Audio(tmp_path / "in" / "2.wav", start_s=0.5, duration_s=0.5))
    assert np.abs(load(last) - original).max() < 1e-4
    assert not reading.refused


def test_words_that_shar_moved_out_of_their_stretch_are_dropped(
    tmp_path: Path, tone: Write
) -> None:
    from lhotse import CutSet, Recording, SupervisionSegment
    from lhotse.supervision import AlignmentItem

    recording = Recording.from_file(tone(tmp_path / "a.wav", seconds=4.0), recording_id="r")
    spoken = [
        SupervisionSegment(
            name, "r", start, 1.0, text=name, alignment={"word": [AlignmentItem(name, start, 0.5)]}
        )
        for name, start in (("early", 0.0), ("late", 3.0))
    ]
    whole = recording.to_cut()
    whole.supervisions = spoken
    cuts = [whole.truncate(duration=1.0).with_id("c1"), whole.truncate(offset=3.0).with_id("c2")]
    folder = tmp_path / "shar"
    folder.mkdir()
    CutSet.from_cuts(cuts).to_shar(folder, fields={"recording": "flac"})
    early, late = read_corpus("shar", folder, licence="CC0-1.0")
    assert early.words == (Word("early", 0.0, 0.5),)
    assert (late.text, late.words) == ("late", ())


def test_a_shard_whose_audio_is_cut_off(shar: Path) -> None:
    tar = shar / "recording.000000.tar"
    tar.write_bytes(tar.read_bytes()[:3_000])
    append(shar / "cuts.000001.jsonl.gz", '{"id": "c9", "type": "MonoCut"}')
    reading = read_corpus("shar", shar)
    assert [record.id for record in reading] == ["shar/s2"]
    assert reading.refused == Counter({Reason.UNREADABLE: 2, Reason.MALFORMED: 1})


@pytest.mark.parametrize("name", ["lhotse", "shar"])
def test_another_layout_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(HarkenError, match="expected "):
        list(read_corpus(name, tmp_path))
