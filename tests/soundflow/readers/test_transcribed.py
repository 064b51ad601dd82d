import gzip
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from harken.errors import HarkenError
from harken.soundflow.readers.reading import read_corpus
from harken.soundflow.readers.record import Reason, Word

Write = Callable[..., Path]


@pytest.fixture
def librispeech(tmp_path: Path, tone: Write, put: Write) -> Path:
    chapter = tmp_path / "LibriSpeech" / "dev-clean" / "84" / "121123"
    tone(chapter / "84-121123-0000.flac", seconds=1.0)
    tone(chapter / "84-121123-0001.flac")
    (chapter / "84-121123-0002.flac").write_bytes(b"fLaC, no more")
    put(
        chapter / "84-121123.trans.txt",
        "84-121123-0000 GO DO YOU HEAR\n84-121123-0001\n84-121123-0002 BUT IN LESS\n"
        "84-121123-0003 MISSING\nnonsense\n",
    )
    put(
        chapter / "84-121123.alignment.txt",
        '84-121123-0000 ",GO,DO,YOU,HEAR," "0.1,0.3,0.4,0.5,0.9,1.0"\n',
    )
    return tmp_path


def test_librispeech(librispeech: Path) -> None:
    reading = read_corpus("librispeech", librispeech)
    (record,) = reading
    assert record.id == "librispeech/84-121123-0000"
    assert (record.text, record.language) == ("GO DO YOU HEAR", "en")
    assert (record.speaker, record.split, record.seconds) == ("84", "dev-clean", 1.0)
    assert record.licence == "CC-BY-4.0"
    assert record.words[:2] == (Word("GO", 0.1, 0.3), Word("DO", 0.3, 0.4))
    assert [word.text for word in record.words] == record.text.split()
    assert reading.refused == Counter(
        {Reason.UNREADABLE: 2, Reason.EMPTY_TEXT: 1, Reason.MALFORMED: 1}
    )


def test_librispeech_survives_a_broken_alignment(librispeech: Path, put: Write) -> None:
    path = next(librispeech.rglob("*.alignment.txt"))
    put(path, "84-121123-0000 only two\n")
    reading = read_corpus("librispeech", librispeech / "LibriSpeech")
    assert [record.words for record in reading] == [()]
    assert reading.refused[Reason.MALFORMED] == 2


def test_aishell(tmp_path: Path, tone: Write, put: Write) -> None:
    root = tmp_path / "data_aishell"
    put(
        root / "transcript" / "aishell_transcript_v0.8.txt",
        "BAC009S0002W0122 而 对 楼市 成交 抑制 作用\nBAC009S0002W0123 \uff42 座\n",
    )
    wav = root / "wav" / "train" / "S0002"
    tone(wav / "BAC009S0002W0122.wav")
    (wav / "BAC009S0002W0123.wav").write_bytes(b"RIFF")
    tone(wav / "BAC009S0002W0124.wav")
    reading = read_corpus("aishell", tmp_path)
    (record,) = reading
    assert (record.id, record.text) == ("aishell/BAC009S0002W0122", "而对楼市成交抑制作用")
    assert (record.language, record.speaker, record.split) == ("zh", "S0002", "train")
    assert reading.refused == Counter({Reason.UNREADABLE: 1, Reason.MALFORMED: 1})


def segment(sid: str, begin: float, end: float, text: str) -> dict[str, object]:
    return {
        "sid": sid,
        "speaker": "N/A",
        "begin_time": begin,
        "end_time": end,
        "subsets": ["{XL}"],
        "text_tn": text,
    }


def test_gigaspeech(tmp_path: Path, tone: Write, put: Write) -> None:
    tone(tmp_path / "audio" / "podcast" / "P0000" / "POD1.opus", seconds=4.0)
    audio = {
        "title": "A talk",
        "path": "audio/podcast/P0000/POD1.opus",
        "aid": "POD1",
        "duration": 4.0,
        "channels": 1,
        "sample_rate": 16000,
        "subsets": ["{DEV}"],
        "segments": [
            segment("POD1_S0", 0.0, 1.0, "AS THEY'RE LEAVING <COMMA> WAIT <PERIOD>"),
            segment("POD1_S1", 1.0, 2.0, "<MUSIC>"),
            segment("POD1_S2", 2.0, 3.0, "<OTHER>"),
            segment("POD1_S3", 3.5, 9.0, "BEHIND THE END"),
        ],
    }
    audio["segments"][3]["subsets"] = ["{TEST}"]
    dataset = {"dataset": "GigaSpeech", "language": "EN", "audios": [audio, {"aid": "POD2"}]}
    put(tmp_path / "GigaSpeech.json", json.dumps(dataset))
    reading = read_corpus("gigaspeech", tmp_path)
    spoken, music = reading
    assert spoken.text == "AS THEY'RE LEAVING, WAIT."
    assert (spoken.kind, spoken.language, spoken.speaker, spoken.split) == (
        "speech",
        "en",
        "",
        "train",
    )
    assert spoken.attribution.endswith(": A talk")
    assert (music.kind, music.labels, music.text, music.seconds) == ("music", ("music",), None, 1.0)
    assert music.audio is not None
    assert (music.audio.start_s, music.audio.duration_s) == (1.0, 1.0)
    assert reading.refused == Counter(
        {Reason.EMPTY_TEXT: 1, Reason.OUT_OF_RANGE: 1, Reason.MALFORMED: 1}
    )


def test_voxpopuli_as_its_own_script_leaves_it(tmp_path: Path, tone: Write, put: Write) -> None:
    root = tmp_path / "transcribed_data" / "en"
    clip = "20090112-0900-PLENARY-3-en_20090112-17:35:32_6"
    header = "id\traw_text\tnormalized_text\tspeaker_id\tsplit\tgender\n"
    put(
        root / "asr_dev.tsv",
        f'{header}{clip}\tMr President, "yes"\tmr president yes\t124\tdev\tmale\n'
        "20090112-x\tGone.\tgone\t124\tdev\tmale\nshort\n",
    )
    tone(root / "2009" / f"{clip}.ogg")
    reading = read_corpus("voxpopuli", tmp_path)
    (record,) = reading
    assert record.text == 'Mr President, "yes"'
    assert (record.language, record.speaker, record.split) == ("en", "124", "dev")
    assert reading.refused == Counter({Reason.UNREADABLE: 1, Reason.MALFORMED: 1})


def test_voxpopuli_out_of_whole_sessions(tmp_path: Path, tone: Write) -> None:
    table = tmp_path / "transcribed_data" / "de" / "asr_de.tsv.gz"
    table.parent.mkdir(parents=True)
    header = "session_id|id_|original_text|normed_text|speaker_id|split|gender|start_time|end_time"
    rows = [
        "20100208-0900-PLENARY|a_0||guten tag|7|train|female|0.25|0.75",
        "20100208-0900-PLENARY|a_1|Zu spät|zu spät|7|train|female|nie|1",
    ]
    table.write_bytes(gzip.compress("\n".join([header, *rows, ""]).encode()))
    ogg = tmp_path / "raw_audios" / "original" / "2010" / "20100208-0900-PLENARY_original.ogg"
    tone(ogg, seconds=1.0)
    reading = read_corpus("voxpopuli", tmp_path)
    (record,) = reading
    assert record.id == "voxpopuli/20100208-0900-PLENARY-a_0"
    assert (record.text, record.language, record.seconds) == ("guten tag", "de", 0.5)
    assert record.audio is not None
    assert (record.audio.path, record.audio.start_s) == (ogg, 0.25)
    assert reading.refused == Counter({Reason.MALFORMED: 1})


@pytest.mark.parametrize("name", ["librispeech", "aishell", "gigaspeech", "voxpopuli"])
def test_another_layout_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(HarkenError, match="expected "):
        list(read_corpus(name, tmp_path))
