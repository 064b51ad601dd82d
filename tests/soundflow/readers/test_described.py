import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from harken.errors import HarkenError
from harken.soundflow.readers.audio import load
from harken.soundflow.readers.reading import read_corpus
from harken.soundflow.readers.record import Reason

Write = Callable[..., Path]


def test_a_folder_with_json_lines(tmp_path: Path, tone: Write, put: Write) -> None:
    rows = [
        {"path": "a.wav", "label": "dog_bark, dog", "licence": "CC0-1.0", "attribution": "me"},
        {
            "path": "b.flac",
            "text": "你好",
            "language": "zh",
            "license": "CC-BY-4.0",
            "english": "Hi",
        },
        {"path": "b.flac", "id": "b2", "start_s": 0.1, "duration_s": 0.2, "licence": "CC0-1.0"},
        {"id": "talk", "messages": [{"role": "user", "content": "Hi"}], "licence": "CC0-1.0"},
        {"path": "a.wav", "id": "x1", "label": "dog"},
        {"path": "a.wav", "id": "x2", "text": "", "licence": "CC0-1.0"},
        {"path": "a.wav", "id": "x3", "kind": "song", "licence": "CC0-1.0"},
        {"path": "../a.wav", "id": "x4", "licence": "CC0-1.0"},
        {"path": "gone.wav", "licence": "CC0-1.0"},
        {"path": "a.wav", "id": "x5", "start_s": "soon", "licence": "CC0-1.0"},
    ]
    put(tmp_path / "metadata.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    tone(tmp_path / "a.wav")
    tone(tmp_path / "b.flac")
    reading = read_corpus("folder", tmp_path)
    bark, speech, noise, talk = reading
    assert (bark.id, bark.kind, bark.labels) == ("folder/a.wav", "event", ("dog_bark", "dog"))
    assert (bark.licence, bark.attribution, bark.seconds) == ("CC0-1.0", "me", 0.5)
    assert (speech.kind, speech.text, speech.language, speech.english) == (
        "speech",
        "你好",
        "zh",
        "Hi",
    )
    assert (noise.kind, noise.text, noise.seconds) == ("noise", None, 0.2)
    assert (talk.kind, talk.turns[0].text, talk.audio) == ("text", "Hi", None)
    assert reading.refused == Counter(
        {
            Reason.MISSING_LICENCE: 1,
            Reason.EMPTY_TEXT: 1,
            Reason.MALFORMED: 3,
            Reason.UNREADABLE: 1,
        }
    )


def test_a_folder_with_csv_and_one_licence_for_all(tmp_path: Path, tone: Write, put: Write) -> None:
    put(
        tmp_path / "metadata.csv",
        'path,label,language,licence\n"a.wav",siren,,\nb.wav,bell,,CC-BY-4.0\nb.wav,bell,,\n',
    )
    tone(tmp_path / "a.wav")
    tone(tmp_path / "b.wav")
    reading = read_corpus("folder", tmp_path, licence="CC0-1.0")
    assert [(one.labels, one.licence) for one in reading] == [
        (("siren",), "CC0-1.0"),
        (("bell",), "CC-BY-4.0"),
    ]
    assert reading.refused == Counter({Reason.DUPLICATE_ID: 1})


def test_a_link_inside_the_folder_may_lead_out(tmp_path: Path, tone: Write, put: Write) -> None:
    folder = tmp_path / "mine"
    put(folder / "metadata.csv", "path,label,licence\naudio/a.wav,bell,CC0-1.0\n")
    tone(tmp_path / "elsewhere" / "a.wav")
    (folder / "audio").symlink_to(tmp_path / "elsewhere")
    (record,) = read_corpus("folder", folder)
    assert record.labels == ("bell",)


def test_a_folder_without_metadata_is_told(tmp_path: Path) -> None:
    with pytest.raises(HarkenError, match=r"has no metadata: expected metadata\.jsonl"):
        list(read_corpus("folder", tmp_path))


def test_a_saved_data_set(tmp_path: Path, tone: Write) -> None:
    import datasets

    wav, broken = tone(tmp_path / "a.wav"), tmp_path / "b.wav"
    broken.write_bytes(b"no audio")
    cell = {"bytes": datasets.Value("binary"), "path": datasets.Value("string")}
    features = datasets.Features(
        {
            "audio": cell,
            "category": datasets.ClassLabel(names=["dog", "cat"]),
            "lang": datasets.Value("string"),
        }
    )
    rows = {
        "audio": [
            {"bytes": wav.read_bytes(), "path": "a.wav"},
            {"bytes": None, "path": str(wav)},
            {"bytes": broken.read_bytes(), "path": "b.wav"},
            None,
            {"bytes": wav.read_bytes(), "path": "c.wav"},
        ],
        "category": [1, 0, 0, 0, -1],
        "lang": [None] * 5,
    }
    info = datasets.DatasetInfo(features=features, license="cc0-1.0", homepage="home")
    # Cast when filled: writing an audio column would need one more package to encode.
    data = datasets.Dataset.from_dict(rows, features=features, info=info)
    data = data.cast_column("audio", datasets.Audio())
    folder = tmp_path / "pets"
    datasets.DatasetDict({"train": data}).save_to_disk(str(folder))
    reading = read_corpus("huggingface", folder)
    cat, dog, unnamed = reading
    assert (cat.id, cat.labels, cat.split) == ("huggingface/pets/train/0", ("cat",), "train")
    assert (cat.licence, cat.attribution, cat.seconds) == ("cc0-1.0", "home", 0.5)
    assert cat.audio is not None and dog.audio is not None
    assert (dog.labels, dog.audio.member) == (("dog",), "train/audio/1")
    assert (cat.audio.container, cat.audio.member) == ("arrow", "train/audio/0")
    assert load(cat.audio).shape == (8_000,)
    wav.unlink()  # saving the data set took the bytes along
    assert load(dog.audio).shape == (8_000,)
    assert unnamed.kind == "noise"  # a class label of -1 means none
    assert reading.refused == Counter({Reason.UNREADABLE: 2})


def test_a_saved_data_set_of_texts_without_a_split(tmp_path: Path) -> None:
    import datasets

    talk = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]
    data = datasets.Dataset.from_dict({"conversations": [talk]})
    data.save_to_disk(str(tmp_path / "talks"))
    (record,) = read_corpus("huggingface", tmp_path / "talks", licence="MIT")
    assert [turn.role for turn in record.turns] == ["user", "assistant"]
    assert (record.kind, record.attribution, record.licence) == ("text", "talks", "MIT")


def test_a_saved_data_set_with_several_labels_and_numbers_as_ids(
    tmp_path: Path, tone: Write
) -> None:
    import datasets

    names = datasets.ClassLabel(names=["dog", "bark", "cat"])
    features = datasets.Features(
        {
            "id": datasets.Value("int64"),
            "file": datasets.Value("string"),
            "labels": datasets.List(names),
        }
    )
    rows = {"id": [1, 0], "file": ["a.wav", "a.wav"], "labels": [[0, 1], [2]]}
    data = datasets.Dataset.from_dict(rows, features=features)
    data.save_to_disk(str(tmp_path / "pets"))
    tone(tmp_path / "pets" / "a.wav")
    records = list(read_corpus("huggingface", tmp_path / "pets", licence="MIT"))
    assert [(one.id, one.labels) for one in records] == [
        ("huggingface/pets/data/1", ("dog", "bark")),
        ("huggingface/pets/data/0", ("cat",)),
    ]


def test_a_saved_data_set_that_names_its_files(tmp_path: Path, tone: Write) -> None:
    import datasets

    rows = {"file": ["a.wav", "gone.wav"], "sentence": ["hello", "gone"], "id": ["x", "y"]}
    datasets.Dataset.from_dict(rows).save_to_disk(str(tmp_path / "talks"))
    tone(tmp_path / "talks" / "a.wav")
    reading = read_corpus("huggingface", tmp_path / "talks", licence="MIT")
    (record,) = reading
    assert (record.id, record.text) == ("huggingface/talks/data/x", "hello")
    assert reading.refused == Counter({Reason.UNREADABLE: 1})


def test_a_folder_that_is_no_saved_data_set_is_told(tmp_path: Path) -> None:
    with pytest.raises(HarkenError, match=r"write one with Dataset\.save_to_disk"):
        list(read_corpus("huggingface", tmp_path))
