from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from harken.errors import HarkenError
from harken.soundflow.readers.reading import read_corpus
from harken.soundflow.readers.record import Reason

Write = Callable[..., Path]


def test_musan(tmp_path: Path, tone: Write, put: Write) -> None:
    root = tmp_path / "musan"
    music = root / "music" / "fma"
    tone(music / "music-fma-0000.wav")
    put(music / "ANNOTATIONS", "music-fma-0000 electronic,ambient N Some_Artist\n\n")
    tone(root / "speech" / "librivox" / "speech-librivox-0000.wav")
    tone(root / "noise" / "free-sound" / "noise-free-sound-0000.wav")
    (root / "noise" / "free-sound" / "noise-free-sound-0001.wav").write_bytes(b"RIFF")
    reading = read_corpus("musan", tmp_path)
    song, talk, noise = reading
    assert (song.kind, song.labels, song.speaker) == (
        "music",
        ("electronic", "ambient"),
        "Some_Artist",
    )
    assert "fma, Some_Artist" in song.attribution
    assert (talk.kind, talk.text, talk.labels) == ("speech", None, ())
    assert (noise.kind, noise.id) == ("noise", "musan/noise-free-sound-0000")
    assert reading.refused == Counter({Reason.UNREADABLE: 1})


def test_wham(tmp_path: Path, tone: Write, put: Write) -> None:
    root = tmp_path / "wham_noise"
    name = "01to030v_0.76421_20ga010m_-0.76421.wav"
    tone(root / "tr" / name)
    tone(root / "cv" / name, rate_hz=4_000)
    put(
        root / "metadata" / "noise_meta_tr.csv",
        "utterance_id,noise,File ID,Location ID,Day ID\n" + f"{name},1,17,5,2\n",
    )
    reading = read_corpus("wham", tmp_path)
    (record,) = reading
    assert record.id == "wham/tr/01to030v_0.76421_20ga010m_-0.76421"
    assert (record.kind, record.split, record.labels) == ("noise", "train", ("location 5",))
    assert record.licence == "CC-BY-NC-4.0"
    assert reading.refused == Counter({Reason.LOW_RATE: 1})
    assert [one.split for one in read_corpus("wham", tmp_path, lowest_rate_hz=4_000)] == [
        "train",
        "dev",
    ]


@pytest.mark.parametrize("where", ["datasets/noise", "datasets_fullband/noise_fullband", "."])
def test_dns(tmp_path: Path, tone: Write, where: str) -> None:
    root = tmp_path / where
    tone(root / "breath_spit_Freesound_validated_26803_1.wav")
    tone(root / "zRhCXaEYN6I.wav")
    tone(root / "PCAFETER_16k_ch1.wav")
    (root / "wntLte49djU.wav").write_bytes(b"no")
    reading = read_corpus("dns", tmp_path)
    demand, freesound, audioset = reading
    assert (freesound.labels, freesound.licence) == (("breath spit",), "CC0-1.0")
    assert (audioset.id, audioset.licence) == ("dns/zRhCXaEYN6I", "CC-BY-4.0")
    assert (demand.labels, demand.licence) == ((), "CC-BY-SA-3.0")
    assert reading.refused == Counter({Reason.UNREADABLE: 1})


@pytest.mark.parametrize("name", ["musan", "wham", "dns"])
def test_another_layout_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(HarkenError, match="expected "):
        list(read_corpus(name, tmp_path))
