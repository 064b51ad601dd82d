import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from harken.errors import HarkenError
from harken.soundflow.readers.reading import read_corpus
from harken.soundflow.readers.record import Reason

Write = Callable[..., Path]
SEGMENTS = (
    "# Segments csv created Sun Mar  5 10:54:25 2017\n"
    "# num_ytids=5, num_segs=5, num_unique_labels=3, num_positive_labels=6\n"
    "# YTID, start_seconds, end_seconds, positive_labels\n"
)
CLASSES = (
    'index,mid,display_name\n0,/m/09x0r,"Speech"\n'
    '1,/m/05zppz,"Male speech, man speaking"\n2,/t/dd00088,"Gush"\n'
)


@pytest.mark.parametrize(
    "name", ["-aE2O5G5WE0", "Y-aE2O5G5WE0", "-aE2O5G5WE0_30.000", "-aE2O5G5WE0_30000_40000"]
)
def test_audioset(tmp_path: Path, tone: Write, put: Write, name: str) -> None:
    put(tmp_path / "class_labels_indices.csv", CLASSES)
    put(
        tmp_path / "eval_segments.csv",
        SEGMENTS
        + '-aE2O5G5WE0, 30.000, 40.000, "/m/05zppz,/t/dd00088,/m/unknown"\n'
        + '-gone5G5WE0, 0.000, 10.000, "/m/09x0r"\n'
        + '-torn5G5WE0, 0.000, 10.000, "/m/09x0r"\n'
        + '-none5G5WE0, 0.000, 10.000, ""\n'
        + "-short5G5WE, x\n",
    )
    tone(tmp_path / "eval" / f"{name}.wav")
    tone(tmp_path / "eval" / "-none5G5WE0.wav")
    (tmp_path / "eval" / "-torn5G5WE0.wav").write_bytes(b"")
    reading = read_corpus("audioset", tmp_path)
    (record,) = reading
    assert record.id == "audioset/-aE2O5G5WE0_30"
    assert record.labels == ("Male speech, man speaking", "Gush", "/m/unknown")
    assert (record.kind, record.split, record.seconds) == ("event", "eval", 0.5)
    assert record.attribution.endswith("https://youtu.be/-aE2O5G5WE0")
    assert reading.refused == Counter(
        {Reason.UNREADABLE: 2, Reason.NO_LABEL: 1, Reason.MALFORMED: 1}
    )


def test_esc50(tmp_path: Path, tone: Write, put: Write) -> None:
    root = tmp_path / "ESC-50-master"
    put(
        root / "meta" / "esc50.csv",
        "filename,fold,target,category,esc10,src_file,take\n"
        "1-100032-A-0.wav,1,0,dog,True,100032,A\n"
        "1-100038-A-14.wav,1,14,chirping_birds,False,100038,A\n"
        "5-9032-A-0.wav,5,0,dog,True,9032,A\n",
    )
    for name in ("1-100032-A-0.wav", "1-100038-A-14.wav"):
        tone(root / "audio" / name, rate_hz=44_100)
    (root / "audio" / "5-9032-A-0.wav").write_bytes(b"RIFF....WAVE")
    reading = read_corpus("esc50", tmp_path)
    dog, birds = reading
    assert (dog.id, dog.labels, dog.split) == ("esc50/1-100032-A-0", ("dog",), "fold1")
    assert (dog.licence, birds.licence) == ("CC-BY-3.0", "CC-BY-NC-3.0")
    assert birds.attribution.endswith("https://freesound.org/s/100038")
    assert reading.refused == Counter({Reason.UNREADABLE: 1})


def test_fsd50k(tmp_path: Path, tone: Write, put: Write) -> None:
    truth = tmp_path / "FSD50K.ground_truth"
    put(
        truth / "dev.csv",
        "fname,labels,mids,split\n"
        '64760,"Electric_guitar,Music","/m/02sgy,/m/04rlf",val\n'
        '16399,Bark,/m/05tny_,train\n100,"",,train\n',
    )
    put(truth / "eval.csv", 'fname,labels,mids\n37199,"Meow,Cat","/m/07qrkrw,/m/01yrx"\n')
    info = {
        "64760": {
            "title": "guitarras_63.wav",
            "license": "http://creativecommons.org/licenses/by/3.0/",
            "uploader": "casualdave",
        }
    }
    put(tmp_path / "FSD50K.metadata" / "dev_clips_info_FSD50K.json", json.dumps(info))
    tone(tmp_path / "FSD50K.dev_audio" / "64760.wav")
    tone(tmp_path / "FSD50K.dev_audio" / "16399.wav", seconds=0.0)
    tone(tmp_path / "FSD50K.eval_audio" / "37199.wav")
    reading = read_corpus("fsd50k", tmp_path)
    guitar, cat = reading
    assert (guitar.labels, guitar.split) == (("Electric_guitar", "Music"), "dev")
    assert guitar.licence == "http://creativecommons.org/licenses/by/3.0/"
    assert "guitarras_63.wav by casualdave" in guitar.attribution
    assert (cat.labels, cat.split, cat.licence) == (("Meow", "Cat"), "test", "CC-BY-4.0")
    assert reading.refused == Counter({Reason.ZERO_LENGTH: 1, Reason.NO_LABEL: 1})


TRACKS = [
    ",artist,set,set,track,track,track,track,track",
    ",name,split,subset,genre_top,genres,language_code,license,title",
    "track_id,,,,,,,,",
    '2,AWOL,training,small,Hip-Hop,"[21, 10]",en,Attribution-NonCommercial 3.0,Food',
    "5,AWOL,validation,medium,,[10],,,This World",
    "10,Kurt Vile,test,small,Pop,[10],en,Attribution 3.0,Freeway",
]


def test_fma(tmp_path: Path, tone: Write, put: Write) -> None:
    put(tmp_path / "fma_metadata" / "tracks.csv", "\n".join(TRACKS) + "\n")
    put(
        tmp_path / "fma_metadata" / "genres.csv",
        "genre_id,#tracks,parent,title,top_level\n10,13845,0,Pop,10\n21,12201,0,Hip-Hop,21\n",
    )
    tone(tmp_path / "fma_small" / "000" / "000002.mp3", rate_hz=44_100)
    tone(tmp_path / "fma_large" / "000" / "000002.mp3", rate_hz=44_100)
    tone(tmp_path / "fma_large" / "000" / "000005.mp3")
    tone(tmp_path / "fma_large" / "000" / "000007.mp3")
    (tmp_path / "fma_large" / "000" / "000010.mp3").write_bytes(b"")
    reading = read_corpus("fma", tmp_path)
    (record,) = reading
    assert (record.id, record.kind, record.split) == ("fma/000002", "music", "train")
    assert record.labels == ("Hip-Hop", "Pop")
    assert record.licence == "Attribution-NonCommercial 3.0"
    assert record.attribution.endswith(": Food by AWOL")
    assert reading.refused == Counter(
        {Reason.MISSING_LICENCE: 1, Reason.MALFORMED: 1, Reason.UNREADABLE: 1}
    )
    with_licence = list(read_corpus("fma", tmp_path, licence="CC-BY-4.0"))
    assert [one.licence for one in with_licence] == ["Attribution-NonCommercial 3.0", "CC-BY-4.0"]
    assert with_licence[1].split == "dev"


@pytest.mark.parametrize("name", ["audioset", "esc50", "fsd50k", "fma"])
def test_another_layout_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(HarkenError, match="expected "):
        list(read_corpus(name, tmp_path))
