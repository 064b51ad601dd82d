import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.errors import HarkenError
from harken.soundflow.readers.reading import Reading, read_corpus
from harken.soundflow.readers.record import Audio, Corpus, Reason, Recorded, Refused
from harken.soundflow.readers.table import Reader

Write = Callable[..., Path]
CORPUS = Corpus("demo", "CC0-1.0", "me", "https://example.org", "anything")


def record(name: str, audio: Audio, split: str = "train") -> Recorded:
    return Recorded(
        id=f"demo/{name}",
        kind="noise",
        corpus="demo",
        licence="CC0-1.0",
        attribution="me",
        audio=audio,
        split=split,
    )


def reading_of(*entries: Recorded | Refused, splits: frozenset[str] | None = None) -> Reading:
    def read(folder: Path, licence: str | None = None) -> Iterator[Recorded | Refused]:
        yield from entries

    return Reading(reader=Reader(CORPUS, read), folder=Path(), splits=splits)


def test_good_records_come_out_with_their_duration(tmp_path: Path, tone: Write) -> None:
    path = tone(tmp_path / "a.wav", seconds=2.0)
    reading = reading_of(
        record("whole", Audio(path)),
        record("end", Audio(path, start_s=1.5)),
        record("part", Audio(path, start_s=0.5, duration_s=0.25)),
        record("rounded", Audio(path, start_s=1.0, duration_s=1.04)),
    )
    assert [one.seconds for one in reading] == [2.0, 0.5, 0.25, 1.0]
    assert reading.kept == 4
    assert reading.summary() == "demo: 4 records"


def test_every_reason_is_counted_with_examples(tmp_path: Path, tone: Write) -> None:
    path, low = tone(tmp_path / "a.wav"), tone(tmp_path / "low.wav", rate_hz=4_000)
    reading = reading_of(
        record("a", Audio(path)),
        record("a", Audio(path)),
        record("b", Audio(path, start_s=0.5)),
        record("c", Audio(path, start_s=0.2, duration_s=0.5)),
        record("d", Audio(low)),
        record("e", Audio(tone(tmp_path / "empty.wav", seconds=0.0))),
        *(record(f"f{n}", Audio(tmp_path / "gone.wav")) for n in range(5)),
        Refused(Reason.MALFORMED, "table.csv:7", "no label"),
    )
    assert [one.id for one in reading] == ["demo/a"]
    assert reading.refused == Counter(
        {
            Reason.DUPLICATE_ID: 1,
            Reason.OUT_OF_RANGE: 2,
            Reason.LOW_RATE: 1,
            Reason.ZERO_LENGTH: 1,
            Reason.UNREADABLE: 5,
            Reason.MALFORMED: 1,
        }
    )
    assert len(reading.examples[Reason.UNREADABLE]) == 3
    assert reading.examples[Reason.LOW_RATE] == [Refused(Reason.LOW_RATE, "demo/d", "4000 Hz")]
    assert reading.summary().startswith("demo: 1 records; refused: 5 unreadable, 2 out of range")


def test_an_id_is_taken_by_the_first_good_record(tmp_path: Path, tone: Write) -> None:
    broken = record("a", Audio(tmp_path / "gone.wav"))
    reading = reading_of(broken, record("a", Audio(tone(tmp_path / "a.wav"))))
    assert [one.id for one in reading] == ["demo/a"]
    assert reading.refused == Counter({Reason.UNREADABLE: 1})


def test_other_splits_are_neither_read_nor_counted(tmp_path: Path, tone: Write) -> None:
    path = tone(tmp_path / "a.wav")
    reading = reading_of(
        record("a", Audio(path)),
        record("b", Audio(tmp_path / "gone.wav"), split="test"),
        splits=frozenset({"train"}),
    )
    assert [one.id for one in reading] == ["demo/a"]
    assert not reading.refused


def test_a_second_pass_counts_anew(tmp_path: Path, tone: Write) -> None:
    reading = reading_of(
        record("a", Audio(tone(tmp_path / "a.wav"))), record("b", Audio(tmp_path / "gone.wav"))
    )
    assert list(reading) == list(reading)
    assert (reading.kept, reading.refused.total()) == (1, 1)


def test_the_callers_mistakes_are_told(tmp_path: Path) -> None:
    with pytest.raises(HarkenError, match="unknown corpus 'librispeach': choose from lhotse"):
        read_corpus("librispeach", tmp_path)
    with pytest.raises(HarkenError, match="gone is no folder: name the one that holds musan"):
        read_corpus("musan", tmp_path / "gone")
    with pytest.raises(HarkenError, match=r"write \['train'\]"):
        read_corpus("musan", tmp_path, splits="train")


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second of audio."""
    import numpy as np
    import soundfile

    path = tmp_path_factory.mktemp("second") / "a.wav"
    soundfile.write(path, np.zeros(16_000), 16_000)
    return path


@settings(max_examples=50)
@given(
    spans=st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "c", "d"]),
            st.floats(-1, 2),
            st.none() | st.floats(-1, 2),
        ),
        max_size=8,
    )
)
def test_every_entry_is_kept_or_counted_and_what_is_kept_lies_inside(
    second: Path, spans: list[tuple[str, float, float | None]]
) -> None:
    reading = reading_of(*(record(n, Audio(second, start, end)) for n, start, end in spans))
    kept = list(reading)
    assert len(kept) + reading.refused.total() == len(spans)
    assert len({one.id for one in kept}) == len(kept)
    for one in kept:
        assert one.audio is not None and one.seconds is not None
        assert one.seconds > 0
        assert one.audio.start_s + one.seconds <= 1.0 + 1e-9


FIELDS = [
    *("path", "text", "label", "labels", "kind", "id", "licence", "start_s", "duration_s"),
    *("messages", "conversations", "conversation", "conversation_id", "chat", "plain_text", "data"),
    *("question", "answer", "answers", "instruction", "input", "output", "response", "domain"),
    *("key", "value", "evidences", "role", "content", "from", "User", "Assistant"),
    *("turn_1", "Human", "MOSS"),
]
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)  # JSON has no others
TEXTS = st.text() | st.sampled_from([*FIELDS, "nan", "-inf", "human", "a\0b", "x" * 999])
ANY = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4)
    ),
    max_leaves=12,
)
TABLES = {
    "folder": "metadata.jsonl",
    "moss": "moss.jsonl",
    "gammacorpus": "gammacorpus.jsonl",
    "ultrachat": "train_0.jsonl",
    "magpie-pro": "train.jsonl",
    "coig-cqia": "coig.jsonl",
    "belle": "train_0.5M_CN.json",
    "du-qa": "search.train.json",
    "webqa": "me_train.json",
    "lhotse": "cuts.jsonl",
}


@pytest.mark.parametrize("name", TABLES)
@given(rows=st.lists(st.dictionaries(st.sampled_from(FIELDS), ANY, max_size=6), min_size=1))
@settings(max_examples=25)
def test_no_row_whatever_it_holds_stops_a_reader(
    tmp_path_factory: pytest.TempPathFactory, name: str, rows: list[dict[str, object]]
) -> None:
    folder = tmp_path_factory.mktemp(name)
    text = "".join(json.dumps(row) + "\n" for row in rows)
    if name == "webqa":  # one object whose members are the questions
        text = json.dumps({str(number): row for number, row in enumerate(rows)})
    (folder / TABLES[name]).write_text(text, encoding="utf-8")
    reading = read_corpus(name, folder, licence="CC0-1.0")
    kept = list(reading)
    assert len(kept) + reading.refused.total() == len(rows)
    assert all(one.kind == "text" and one.turns for one in kept)
