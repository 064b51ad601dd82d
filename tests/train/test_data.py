"""Data folders and configurations: what is read, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from harken.errors import HarkenError
from harken.stream import profile_named
from harken.train.config import TrainConfig
from harken.train.examples import load_document, read_records


def test_a_record_becomes_the_stream_that_was_written_for_it(write_streams, vocabulary) -> None:
    records = read_records(write_streams(4))
    assert [r.split for r in records.all] == ["train", "train", "train", "dev"]
    document = load_document(records.all[0], vocabulary)
    profile = profile_named("tiny")
    timeline = records.all[0].timeline
    assert timeline.words_by_chunk() == {0: " hello"}
    assert len(document.audio) == 2 * timeline.n_chunks
    assert (document.ids == profile.control("RESPOND")).sum() == len(timeline.said)
    assert document.said[document.ids == profile.control("SILENT")].all()
    assert not document.said[document.audio].any()


def test_an_unjudged_decision_is_read_and_not_learnt(write_streams, vocabulary) -> None:
    data = write_streams(1)
    row = json.loads((data / "streams.jsonl").read_text())
    whole = load_document(read_records(data).all[0], vocabulary)
    spoken = row["said"][0][0]
    (data / "streams.jsonl").write_text(json.dumps(row | {"unjudged": [spoken]}) + "\n")
    document = load_document(read_records(data).all[0], vocabulary)
    respond = profile_named("tiny").control("RESPOND")
    assert (document.ids == whole.ids).all()
    missing = np.flatnonzero(whole.said & ~document.said)
    assert len(missing) == 1 and document.ids[missing[0]] == respond
    assert document.said[missing[0] + 1], "its text is learnt"


def test_what_was_said_out_of_turn_is_read_and_not_learnt(write_streams, vocabulary) -> None:
    data = write_streams(1)
    row = json.loads((data / "streams.jsonl").read_text())
    whole = load_document(read_records(data).all[0], vocabulary)
    wrong = row["said"][0][0]
    (data / "streams.jsonl").write_text(json.dumps(row | {"strays": [wrong]}) + "\n")
    document = load_document(read_records(data).all[0], vocabulary)
    profile = profile_named("tiny")
    assert (document.ids == whole.ids).all()
    missing = np.flatnonzero(whole.said & ~document.said)
    decisions = np.flatnonzero(whole.said & np.isin(whole.ids, profile.decision_ids))
    assert document.ids[missing[0]] == profile.control("RESPOND"), "the decision is not learnt"
    assert len(missing) > 2, "nor are its words"
    assert missing[-1] < decisions[wrong + 1], "the decision after it is"


def test_a_growing_list_can_be_read_as_it_was(write_streams) -> None:
    data = write_streams(3)
    before = read_records(data)
    with (data / "streams.jsonl").open("a") as f:
        f.write('{"id": "half')
    assert read_records(data).size_bytes == before.size_bytes
    (data / "streams.jsonl").write_text(
        "".join((data / "streams.jsonl").read_text().splitlines(keepends=True)[:3])
    )
    write_streams(2, data, first=3)
    assert len(read_records(data).all) == 5
    assert read_records(data, before.size_bytes) == before
    (data / "streams.jsonl").write_text("")
    with pytest.raises(HarkenError, match="shrank"):
        read_records(data, before.size_bytes)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("split", "test", "split is 'test'"),
        ("said", [[0, "hi", "bored", ""]], "no emotion 'bored'"),
        ("said", [[99, "hi", "happy", ""]], "chunk 99"),
        ("unjudged", [99], "unjudged [99]"),
        ("unjudged", [-1], "unjudged [-1]"),
        ("strays", [99], "strays [99]"),
        ("prefix", {"policy": "shout", "instruction": ""}, "no policy 'shout'"),
        ("n_chunks", None, "line 2"),
    ],
)
def test_a_broken_line_is_named(write_streams, field: str, value: object, told: str) -> None:
    data = write_streams(2)
    lines = (data / "streams.jsonl").read_text().splitlines()
    lines[1] = json.dumps({**json.loads(lines[1]), field: value})
    (data / "streams.jsonl").write_text("\n".join(lines) + "\n")
    with pytest.raises(HarkenError, match="line 2") as error:
        read_records(data)
    assert told in str(error.value)


def test_features_must_be_there_and_fit(write_streams, vocabulary) -> None:
    data = write_streams(2)
    records = read_records(data).all
    np.savez(records[0].features, sound=np.zeros((1, 1545)), acoustic=np.zeros((1, 2560)))
    with pytest.raises(HarkenError, match="chunks, its features 1 and 1"):
        load_document(records[0], vocabulary)
    records[1].features.unlink()
    with pytest.raises(HarkenError, match="cannot be read"):
        load_document(records[1], vocabulary)


def test_a_configuration_round_trips_and_refuses_nonsense(tmp_path: Path) -> None:
    config = TrainConfig(minutes=30, task_weights={"count": 2.0})
    assert TrainConfig.from_json(config.to_json(), "x") == config
    for fields, told in [
        ({}, "give --minutes or --steps"),
        ({"steps": 0}, "steps is 0"),
        ({"steps": 1, "drop_sound": 1.0}, "drop_sound is 1"),
        ({"steps": 1, "profile": "huge"}, "no profile 'huge'"),
        ({"steps": 1, "task_weights": {"a": -1}}, "task a is -1"),
        ({"steps": 1, "speed": 3}, "unknown field 'speed'"),
        ({"steps": "many"}, "x has a field of the wrong type"),
    ]:
        with pytest.raises(HarkenError, match=told):
            TrainConfig.from_json(json.dumps(fields), "x")
