from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from harken.errors import HarkenError
from harken.soundflow.readers.reading import read_corpus
from harken.soundflow.readers.record import Reason

Write = Callable[..., Path]
HEADER = (
    "client_id\tpath\tsentence_id\tsentence\tsentence_domain\tup_votes\tdown_votes\tage\tgender\t"
    "accents\tvariant\tlocale\tsegment\n"
)


def row(path: str, sentence: str, locale: str = "zh-CN") -> str:
    return f"abc\t{path}\ts1\t{sentence}\t\t2\t0\ttwenties\t\t\t\t{locale}\t\n"


def test_common_voice(tmp_path: Path, tone: Write, put: Write) -> None:
    root = tmp_path / "cv-corpus-17.0-2024-03-15" / "zh-CN"
    put(root / "train.tsv", HEADER + row("common_voice_zh-CN_1.mp3", '"他说""好""。"'))
    put(
        root / "test.tsv",
        HEADER
        + row("common_voice_zh-CN_2.mp3", "")
        + row("common_voice_zh-CN_3.mp3", "不见了")
        + "torn\n",
    )
    put(root / "other.tsv", HEADER + row("common_voice_zh-CN_9.mp3", "not read"))
    for number in (1, 2):
        tone(root / "clips" / f"common_voice_zh-CN_{number}.mp3", rate_hz=32_000)
    reading = read_corpus("commonvoice", tmp_path)
    (record,) = reading
    assert record.id == "commonvoice/zh-CN/common_voice_zh-CN_1"
    assert (record.text, record.language, record.split) == ('他说"好"。', "zh-CN", "train")
    assert (record.speaker, record.licence) == ("abc", "CC0-1.0")
    assert record.seconds == pytest.approx(0.5, abs=0.06)
    assert reading.refused == Counter(
        {Reason.EMPTY_TEXT: 1, Reason.UNREADABLE: 1, Reason.MALFORMED: 1}
    )


VALIDATED = "client_id\tpath\tsentence\tup_votes\tdown_votes\tage\tgender\taccent\n"


def test_covost2_takes_its_sentences_from_common_voice(
    tmp_path: Path, tone: Write, put: Write
) -> None:
    root = tmp_path / "en"
    put(
        root / "validated.tsv",
        VALIDATED
        + "s1\tcommon_voice_en_1.mp3\tGood morning.\t2\t0\t\t\t\n"
        + "s2\tcommon_voice_en_2.mp3\tNever translated.\t2\t0\t\t\t\n",
    )
    put(
        root / "covost_v2.en_zh-CN.tsv",
        "path\ttranslation\tsplit\n"
        "common_voice_en_1.mp3\t早上\\\t好。\ttrain_covost\n"
        "common_voice_en_2.mp3\t\tdev\n"
        "common_voice_en_3.mp3\t没有句子\ttest\n",
    )
    for number in (1, 2, 3):
        tone(root / "clips" / f"common_voice_en_{number}.mp3")
    reading = read_corpus("covost2", tmp_path)
    (record,) = reading
    assert record.id == "covost2/en_zh-CN/common_voice_en_1"
    assert (record.text, record.language, record.speaker) == ("Good morning.", "en", "s1")
    assert (record.translation, record.translation_language) == ("早上\t好。", "zh-CN")
    assert (record.english, record.split) == ("", "train")
    assert reading.refused == Counter({Reason.EMPTY_TEXT: 2})


def test_covost2_in_tables_of_one_split(tmp_path: Path, tone: Write, put: Write) -> None:
    put(
        tmp_path / "covost_v2.zh-CN_en.dev.tsv",
        "path\tsentence\ttranslation\tclient_id\na.mp3\t早上好\tGood morning\ts1\n",
    )
    tone(tmp_path / "clips" / "a.mp3")
    (record,) = read_corpus("covost2", tmp_path)
    assert (record.text, record.english) == ("早上好", "Good morning")
    assert (record.split, record.language) == ("dev", "zh-CN")


def test_covost2_without_common_voice_is_told(tmp_path: Path, put: Write) -> None:
    put(tmp_path / "covost_v2.en_de.tsv", "path\ttranslation\tsplit\n")
    with pytest.raises(HarkenError, match="copy it there"):
        list(read_corpus("covost2", tmp_path))


@pytest.mark.parametrize("name", ["commonvoice", "covost2"])
def test_another_layout_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(HarkenError, match="expected "):
        list(read_corpus(name, tmp_path))
