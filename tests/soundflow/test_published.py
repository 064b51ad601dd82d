"""The published formats: out and back with every reply on its chunk, and what is left out."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from harken.errors import HarkenError
from harken.soundflow.published import export_published, import_published
from harken.soundflow.published_turns import SILENT, Turn, is_silent, timeline_from, turns_of
from harken.soundflow.rows import gather, write_rows
from harken.soundflow.shards.folder import write_shards
from harken.stream import CHUNK_SAMPLES, Prefix, Said, Timeline, chunk_of_end
from harken.stream.profile import EMOTIONS

CHUNKS, SAMPLES = 9, 9 * CHUNK_SAMPLES - 1000


def row(name: str = "train-2-00000", **changed: Any) -> dict[str, Any]:
    return {
        "id": f"{name}-0",
        "features": name,
        "task": "chat",
        "split": name.split("-")[0],
        "n_chunks": CHUNKS,
        "prefix": {"policy": "care", "instruction": ""},
        "words": [[1, " What"], [2, " is it?"], [4, " 几点了"], [8, " Bye."]],
        "said": [[2, "A dog.", "happy", "question"], [5, "三点。", "normal", "question"]],
        "sounds": [],
        "due": [],
        "playing": [],
        "stops": [],
        "sources": ["made:knock", "question"],
    } | changed


def folder_with(folder: Path, *rows: dict[str, Any], audio: bool = True) -> Path:
    """A data folder of one stream for each name among the rows."""
    for part in ("features", "lines", "audio"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for n, name in enumerate(sorted({each["features"] for each in rows})):
        chance = np.random.default_rng(n)
        np.savez(
            folder / "features" / f"{name}.npz",
            sound=np.zeros((CHUNKS, 1545), np.float16),
            acoustic=np.zeros((CHUNKS, 2560), np.float16),
        )
        if audio:
            samples = chance.integers(-9000, 9000, SAMPLES).astype(np.int16)
            soundfile.write(folder / "audio" / f"{name}.flac", samples, 16_000)
        write_rows(folder, name, [each for each in rows if each["features"] == name])
    gather(folder)
    return folder


def lines_of(jsonl: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in jsonl.read_text("utf-8").splitlines()]


def wav(path: Path, samples: int, rate_hz: int = 16_000) -> str:
    soundfile.write(path, np.zeros(samples, np.int16), rate_hz)
    return path.name


replies = st.builds(
    lambda chunk, text, emotion, cause: [chunk, text, emotion, cause],
    st.integers(0, CHUNKS - 1),
    st.text(min_size=1).filter(lambda text: not is_silent(text)),
    st.sampled_from(EMOTIONS),
    st.text(),
)


@given(
    said=st.lists(replies, unique_by=lambda reply: reply[0]),
    missing=st.integers(0, CHUNK_SAMPLES - 1),
)
def test_turns_tile_the_audio_and_give_back_every_reply(said: list[Any], missing: int) -> None:
    n_samples = CHUNKS * CHUNK_SAMPLES - missing
    turns = turns_of(row(said=said), n_samples)
    bounds = [0, *(turn.end_sample for turn in turns)]
    assert [turn.start_sample for turn in turns] == bounds[:-1] and bounds[-1] == n_samples
    assert sum(turn.assistant is None for turn in turns) <= 1
    back = timeline_from(turns, Prefix())
    assert back.n_chunks == CHUNKS
    assert back.said == tuple(Said(*each) for each in sorted(said))


@given(st.lists(st.tuples(st.integers(1, 30_000), st.booleans()), min_size=1, max_size=12))
def test_any_turns_make_a_timeline(parts: list[tuple[int, bool]]) -> None:
    turns: list[Turn] = []
    for length, speaks in parts:
        start = turns[-1].end_sample if turns else 0
        reply = f"Reply {len(turns)}." if speaks else None
        turns.append(Turn(start, start + length, "", reply))
    timeline = timeline_from(tuple(turns), Prefix())
    due = [turn for turn in turns if turn.assistant]
    assert [said.text for said in timeline.said] == [turn.assistant for turn in due]
    for said, turn in zip(timeline.said, due, strict=True):
        earliest = chunk_of_end(turn.end_sample)
        assert said.chunk >= earliest
        taken = {other.chunk for other in timeline.said}
        assert set(range(earliest, said.chunk)) <= taken, "moved on past others only"
    assert timeline.n_chunks >= chunk_of_end(turns[-1].end_sample) + 1


@pytest.mark.parametrize("shape", ["card", "conversation"])
def test_a_stream_goes_out_and_comes_back(shape: Any, tmp_path: Path) -> None:
    data = folder_with(tmp_path / "data", row(), row("train-2-00001", said=[]))
    jsonl = tmp_path / "out" / "set.jsonl"
    told = export_published(data, jsonl, tmp_path / "out" / "audio", shape=shape)
    assert (told.written, told.left_out) == (2, {})
    back = {stream.turns[0].audio.parent.name: stream for stream in import_published(jsonl)
            if stream.turns[0].audio}  # fmt: skip
    full, silent = back["train-2-00000-0"], back["train-2-00001-0"]
    causes = ("question", "question") if shape == "card" else ("", "")
    assert full.timeline.said == (
        Said(2, "A dog.", "happy", causes[0]),
        Said(5, "三点。", "normal", causes[1]),
    )
    assert silent.timeline.said == () and len(silent.turns) == 1
    assert full.timeline.n_chunks == silent.timeline.n_chunks == CHUNKS
    heard, _ = soundfile.read(data / "audio" / "train-2-00000.flac", dtype="float32")
    assert np.array_equal(full.samples()[:SAMPLES], heard)
    assert not full.samples()[SAMPLES:].any()
    if shape == "card":
        texts = [each.text for each in full.timeline.heard]
        assert texts == ["What is it?", "几点了", "Bye."]
        assert {each.kind for each in full.timeline.heard} == {"speech"}
        assert full.id == "train-2-00000-0" and full.scene_type == "chat"


def test_a_card_has_the_published_fields(tmp_path: Path) -> None:
    data = folder_with(tmp_path / "data", row())
    jsonl = tmp_path / "card.jsonl"
    export_published(data, jsonl, tmp_path / "audio")
    (line,) = lines_of(jsonl)
    assert list(line) == ["id", "stream_scene_type", "num_turns", "turns"]
    assert line["num_turns"] == len(line["turns"]) == 3
    assert line["turns"][0] == {
        "user": "What is it?",
        "assistant": "A dog.",
        "emotion": "happy",
        "scene_type": "question",
        "audio_path": "audio/train-2-00000-0/turn_0.wav",
    }
    assert line["turns"][2]["assistant"] == SILENT == "<no need to response>"
    sources = json.loads((tmp_path / "card.sources.json").read_text("utf-8"))
    assert [each["id"] for each in sources] == ["made:knock", "question"]
    assert all(each["licence"] and each["attribution"] for each in sources)
    lengths = [soundfile.info(tmp_path / turn["audio_path"]).frames for turn in line["turns"]]
    assert lengths == [3 * CHUNK_SAMPLES, 3 * CHUNK_SAMPLES, SAMPLES - 6 * CHUNK_SAMPLES]


def test_shards_give_the_same_files_as_their_folder(tmp_path: Path) -> None:
    data = folder_with(tmp_path / "data", *(row(f"train-2-{n:05d}") for n in range(5)))
    write_shards(data, tmp_path / "shards", streams_per_shard=2)
    written = []
    for source in (data, tmp_path / "shards"):
        out = tmp_path / f"of-{source.name}"
        export_published(source, out / "set.jsonl", out / "audio")
        files = sorted(path for path in out.rglob("*") if path.is_file())
        written.append({str(path.relative_to(out)): path.read_bytes() for path in files})
    assert written[0] == written[1] and len(written[0]) == 2 + 5 * 3


def test_what_a_shape_cannot_hold_is_left_out_and_counted(tmp_path: Path) -> None:
    order = {"policy": "care", "instruction": "Count the barks."}
    data = folder_with(
        tmp_path / "data",
        row(),
        row(id="quiet", prefix={"policy": "quiet", "instruction": ""}),
        row(id="order", prefix=order),
        row(id="retold", retold=True),
        row(id="playing", playing=[3], stops=[4]),
        row(id="marker", said=[[1, " No need to response", "normal", ""]]),
    )
    told = export_published(data, tmp_path / "out.jsonl", tmp_path / "audio")
    assert told.written == 1
    assert told.left_out == {
        "not under the policy care": 1,
        "an order given as text": 1,
        "retold or imagined": 1,
        "our own voice is heard": 1,
        "a reply that reads as none": 1,
    }
    told = export_published(data, tmp_path / "out.jsonl", tmp_path / "audio", policy="quiet")
    assert told.written == 1 and lines_of(tmp_path / "out.jsonl")[0]["id"] == "quiet"


def test_offline_holds_one_reply_and_a_typed_question(tmp_path: Path) -> None:
    order = {"policy": "care", "instruction": "What do you hear?"}
    one = [[3, "A dog.", "normal", "dog_bark"]]
    data = folder_with(tmp_path / "data", row(), row(id="asked", prefix=order, said=one),
                       row(id="plain", said=one))  # fmt: skip
    jsonl = tmp_path / "off.jsonl"
    told = export_published(data, jsonl, tmp_path / "audio", shape="offline")
    assert told.written == 2 and told.left_out == {"not one reply": 1}
    assert [list(line) for line in lines_of(jsonl)] == [
        ["user", "assistant", "audio_path"],
        ["assistant", "audio_path"],
    ]
    asked, plain = import_published(jsonl)
    assert asked.timeline.prefix == Prefix("care", "What do you hear?")
    assert plain.timeline.prefix == Prefix()
    assert asked.timeline.said == plain.timeline.said == (Said(3, "A dog."),)
    assert asked.timeline.n_chunks == 4


def test_every_published_shape_is_read(tmp_path: Path) -> None:
    ten, short = wav(tmp_path / "ten.wav", 64_000), wav(tmp_path / "short.wav", 100)
    slow = wav(tmp_path / "slow.wav", 8_000, rate_hz=8_000)
    shapes: list[dict[str, Any]] = [
        {"id": "a", "stream_scene_type": "Home", "num_turns": 2, "turns": [
            {"user": "Hi", "assistant": "Hello.", "emotion": "happy", "scene_type": "chat",
             "audio_path": ten},
            {"user": "", "assistant": SILENT, "emotion": "normal", "scene_type": "",
             "audio_path": short}]},
        {"conversation": [{"audio_path": slow, "assistant": "One."},
                          {"audio_path": short, "assistant": "Two.", "emotion": "URGENT"},
                          {"audio_path": short, "assistant": "Three.", "emotion": "bored"}]},
        {"merge_path": str(tmp_path / "ten.wav"), "assistant": "Ten.", "emotion": "sad"},
        {"user": "What is it?", "assistant": "Silence.", "audio_path": ten},
        {"assistant": "No need to response", "audio_path": ten},
        {"user": "Say yes.", "assistant": "Yes."},
    ]  # fmt: skip
    jsonl = tmp_path / "all.jsonl"
    jsonl.write_text("\n".join(json.dumps(each) for each in shapes) + "\n\n", "utf-8")
    card, talk, merged, asked, silent, typed = import_published(jsonl)
    assert card.id == "a" and card.scene_type == "Home"
    assert card.timeline.said == (Said(9, "Hello.", "happy", "chat"),)
    assert card.timeline.n_chunks == 11
    assert [(h.end_sample, h.kind, h.text) for h in card.timeline.heard] == [
        (64_000, "speech", "Hi"), (64_100, "sound", "")]  # fmt: skip
    assert talk.id == "all-000002"
    assert talk.timeline.said == (
        Said(2, "One."), Said(3, "Two.", "urgent"), Said(4, "Three."))  # fmt: skip
    assert talk.timeline.n_chunks == 5, "8000 samples at 8 kHz are a second"
    assert merged.timeline.said == (Said(9, "Ten.", "sad"),)
    assert asked.timeline.prefix.instruction == "What is it?"
    assert asked.timeline.said == (Said(9, "Silence."),)
    assert silent.timeline.said == ()
    assert typed.timeline == Timeline(Prefix(instruction="Say yes."), 1, said=(Said(0, "Yes."),))
    assert not typed.samples().any()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "line 2"),
        ("[]", "an object"),
        ('{"text": "x"}', "no published shape"),
        ('{"conversation": []}', "no turns"),
        ('{"conversation": [{"assistant": "x"}]}', "'audio_path' is missing"),
        ('{"conversation": [{"audio_path": "no.wav", "assistant": "x"}]}', r"no\.wav is missing"),
        ('{"conversation": [{"audio_path": "bad.wav", "assistant": "x"}]}', r"bad\.wav"),
        ('{"merge_path": "ok.wav", "assistant": ""}', "says '<no need"),
        ('{"merge_path": "ok.wav", "assistant": 3}', "assistant is 3"),
        ('{"assistant": "x"}', "neither user nor audio_path"),
        ('{"id": "a", "num_turns": 2, "turns": [{"audio_path": "ok.wav", "assistant": "x"}]}',
         "num_turns is 2"),
    ],
)  # fmt: skip
def test_a_broken_line_is_told_by_its_number(line: str, told: str, tmp_path: Path) -> None:
    wav(tmp_path / "ok.wav", 800)
    (tmp_path / "bad.wav").write_bytes(b"RIFF, or not")
    jsonl = tmp_path / "set.jsonl"
    jsonl.write_text('{"merge_path": "ok.wav", "assistant": "Fine."}\n' + line + "\n", "utf-8")
    read = import_published(jsonl)
    assert next(read).timeline.said == (Said(0, "Fine."),)
    with pytest.raises(HarkenError, match=told) as error:
        next(read)
    assert "line 2" in str(error.value) and "\n" not in str(error.value)


def test_paths_are_relative_to_the_given_root(tmp_path: Path) -> None:
    (tmp_path / "sounds").mkdir()
    wav(tmp_path / "sounds" / "a.wav", 800)
    jsonl = tmp_path / "set.jsonl"
    jsonl.write_text('{"merge_path": "a.wav", "assistant": "Yes."}\n', "utf-8")
    (read,) = import_published(jsonl, audio_root=tmp_path / "sounds", prefix=Prefix("bench"))
    assert read.timeline.prefix.policy == "bench"
    with pytest.raises(HarkenError, match="line 1"):
        list(import_published(jsonl))
    with pytest.raises(HarkenError, match=r"gone\.jsonl"):
        list(import_published(tmp_path / "gone.jsonl"))


def test_audio_elsewhere_is_named_by_its_whole_path(tmp_path: Path) -> None:
    data = folder_with(tmp_path / "data", row())
    export_published(data, tmp_path / "a" / "set.jsonl", tmp_path / "b", shape="conversation")
    (line,) = lines_of(tmp_path / "a" / "set.jsonl")
    assert line["conversation"][0]["audio_path"].startswith(str(tmp_path / "b"))
    assert len(list(import_published(tmp_path / "a" / "set.jsonl"))) == 1


def test_nothing_to_export_is_told_and_leaves_no_file(tmp_path: Path) -> None:
    data = folder_with(tmp_path / "data", row(), audio=False)
    with pytest.raises(HarkenError, match=r"1 no audio kept.*--keep-audio"):
        export_published(data, tmp_path / "out" / "set.jsonl", tmp_path / "out" / "audio")
    assert not list((tmp_path / "out").glob("*.jsonl"))
    with pytest.raises(HarkenError, match="no shards"):
        export_published(tmp_path, tmp_path / "set.jsonl", tmp_path / "audio")
    with pytest.raises(HarkenError, match="no policy 'loud'"):
        export_published(data, tmp_path / "set.jsonl", tmp_path, policy="loud")
    with pytest.raises(HarkenError, match="'parquet'"):
        export_published(data, tmp_path / "set.jsonl", tmp_path, shape="parquet")  # type: ignore[arg-type]


def test_audio_of_another_length_is_refused(tmp_path: Path) -> None:
    data = folder_with(tmp_path / "data", row())
    soundfile.write(data / "audio" / "train-2-00000.flac", np.zeros(800, np.int16), 16_000)
    with pytest.raises(HarkenError, match="9 chunks, its audio 800 samples"):
        export_published(data, tmp_path / "set.jsonl", tmp_path / "audio")


def test_broken_audio_is_told_by_the_stream(tmp_path: Path) -> None:
    data = folder_with(tmp_path / "data", row())
    (data / "audio" / "train-2-00000.flac").write_bytes(b"fLaC, or not")
    with pytest.raises(HarkenError, match="audio of stream train-2-00000"):
        export_published(data, tmp_path / "set.jsonl", tmp_path / "audio")
    soundfile.write(data / "audio" / "train-2-00000.flac", np.zeros(800, np.int16), 8_000)
    with pytest.raises(HarkenError, match="8000 Hz"):
        export_published(data, tmp_path / "set.jsonl", tmp_path / "audio")
    (tmp_path / "file").write_text("")
    with pytest.raises(HarkenError, match=f"cannot write to {tmp_path / 'file'}"):
        export_published(data, tmp_path / "file" / "set.jsonl", tmp_path / "audio")
