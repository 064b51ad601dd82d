import json
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
import soundfile

from harken.errors import HarkenError
from harken.parts.cache import cache_dir
from harken.respond import kokoro
from harken.soundflow import speak, spoken


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARKEN_CACHE", str(tmp_path))
    return tmp_path


def test_every_kind_has_lines_in_both_languages() -> None:
    counts = Counter((line.kind, line.language) for line in spoken.lines())
    assert {language for _, language in counts} == {"en", "zh"}
    assert len({line.text for line in spoken.lines()}) == len(spoken.lines())
    for kind in ("stop", "order_count", "order_when", "order_transcribe", "question", "recall"):
        assert counts[kind, "en"] >= 20
        assert counts[kind, "zh"] >= 2
    assert all(line.other for line in spoken.lines() if line.kind in ("question", "recall"))


def test_takes_differ_in_voice_and_share_the_split() -> None:
    takes = defaultdict(list)
    for take in spoken.planned_takes():
        takes[take.line].append(take)
    assert all(len({take.voice for take in each}) == spoken.TAKES for each in takes.values())
    assert all(len({take.split for take in each}) == 1 for each in takes.values())
    dev = sum(each[0].split == "dev" for each in takes.values()) / len(takes)
    assert 0.06 < dev < 0.15
    assert {take.voice for take in spoken.planned_takes()}.isdisjoint(speak.JUDGE_VOICES)


def test_the_beginning_of_the_plan_has_every_kind() -> None:
    kinds = {(line.kind, line.language) for line in spoken.lines()}
    first = spoken.planned_takes()[: len(kinds)]
    assert {(take.line.kind, take.line.language) for take in first} == kinds


def test_one_take_of_every_dev_line_is_made_first_and_the_others_as_planned() -> None:
    takes, order = spoken.planned_takes(), spoken.made_in_order()
    place = {take: n for n, take in enumerate(takes)}
    dev = {take.line for take in takes if take.split == "dev"}
    first, rest = order[: len(dev)], order[len(dev) :]
    assert {take.line for take in first} == dev
    assert first == sorted(first, key=place.__getitem__)
    assert rest == sorted(rest, key=place.__getitem__)
    assert sorted(order, key=place.__getitem__) == list(takes)


def test_the_test_split_says_the_dev_lines_in_voices_of_its_own(cache: Path) -> None:
    takes = spoken.test_takes()
    dev = {take.line for take in spoken.planned_takes() if take.split == "dev"}
    assert {take.line for take in takes} == dev
    assert len({spoken._file(take) for take in takes}) == len(takes) == spoken.TAKES * len(dev)
    assert {take.split for take in takes} == {"test"}
    assert {take.voice for take in takes} == speak.JUDGE_VOICES
    described = {"kind": "stop", "lang": "en", "text": "Enough of that.", "voice": "af_heart"}
    folder = cache / "corpora" / "speech"
    folder.mkdir(parents=True)
    for name, split in (("0001", "train"), ("0002", "dev")):
        row = described | {"text": f"Enough of {split}.", "file": f"{name}.opus", "split": split}
        (folder / f"{name}.json").write_text(json.dumps(row | {"seconds": 1}))
    assert {take.line for take in spoken.test_takes()} - dev == {
        spoken.Line("stop", "en", "Enough of dev.", "")
    }


def test_no_two_takes_are_one_file() -> None:
    files = {spoken._file(take) for take in spoken.planned_takes()}
    assert len(files) == len(spoken.planned_takes())


def test_progress_tells_the_rate_and_the_time_left() -> None:
    assert spoken.Progress(40, 100).said() == "40 of 100 takes"
    at = spoken.Progress(40, 100, rate=1200.0)
    assert (at.share, at.said()) == (0.4, "40 of 100 takes, 1200 an hour, 0:03:00 left")


def silent(take: spoken.Take) -> Path:
    path = speak.planned_file(take.line.text, take.line.language, take.voice, take.speed)
    path.parent.mkdir(exist_ok=True)
    soundfile.write(path, np.zeros(8_000, np.int16), 16_000)
    return path


def test_what_is_there_needs_no_voice() -> None:
    take = spoken.planned_takes()[3]
    silent(take)
    told: list[spoken.Progress] = []
    spoken.make_takes([take], told.append)
    assert told == [spoken.Progress(1, 1)]
    with pytest.raises(HarkenError, match="workers is 0"):
        spoken.make_takes([take], workers=0)


def test_speech_that_was_made_is_found_again() -> None:
    take = spoken.planned_takes()[5]
    assert spoken.made_speech([take]) == []
    silent(take)
    (clip,) = spoken.made_speech(spoken.planned_takes())
    assert (clip.text, clip.voice, clip.split) == (take.line.text, take.voice, take.split)
    assert clip.seconds == 0.5


def test_the_starter_pack_is_read_in_order(cache: Path) -> None:
    folder = cache / "corpora" / "speech"
    folder.mkdir(parents=True)
    described = {"kind": "stop", "lang": "en", "voice": "af_heart", "seconds": 1, "split": "dev"}
    for number in (1, 0):
        row = described | {"text": f"Stop {number}.", "file": f"000{number}.opus"}
        (folder / f"000{number}.json").write_text(json.dumps(row))
    assert [clip.text for clip in spoken.starter_pack()] == ["Stop 0.", "Stop 1."]
    assert spoken.starter_pack()[0].path == folder / "0000.opus"
    (folder / "0002.json").write_text('{"kind": "stop"}')
    with pytest.raises(HarkenError, match=r"0002\.json is broken"):
        spoken.starter_pack()


def test_voices_for_judging_are_refused() -> None:
    assert len(speak.training_voices("en")) == 24
    assert len(speak.training_voices("zh")) == 6
    with pytest.raises(HarkenError, match="zf_xiaoni is kept for judging"):
        speak.synthesise("你好。", "zh", "zf_xiaoni")
    assert speak.judge_voices("zh") == ("zf_xiaoni", "zm_yunxia")
    with pytest.raises(HarkenError, match="unknown voice 'zf_xiaobei' for zh: choose from zf_x"):
        speak.planned_file("你好。", "zh", "zf_xiaobei", judging=True)


@pytest.mark.parametrize(
    ("text", "language", "voice", "speed", "message"),
    [
        (" ", "en", "af_heart", 1.0, "empty"),
        ("Hello.", "en", "af_heart", 3.0, "speed 3.0"),
        ("Hello.", "en", "nobody", 1.0, "unknown voice 'nobody'"),
        ("Hello.", "en", "zf_xiaoyi", 1.0, "unknown voice 'zf_xiaoyi' for en"),
        ("Bonjour.", "fr", "ff_siwis", 1.0, "'fr'"),
    ],
)
def test_what_cannot_be_said_is_named(
    text: str, language: str, voice: str, speed: float, message: str
) -> None:
    with pytest.raises(HarkenError, match=message):
        speak.synthesise(text, language, voice, speed)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "language", "voice"),
    [("Count every bark.", "en", "bm_lewis"), ("请打开厨房的灯。", "zh", "zf_xiaoxiao")],
)
def test_a_sentence_is_said_once_and_then_read(
    text: str, language: str, voice: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HARKEN_CACHE")  # the parts are in the user's cache
    from harken.parts.fetch import ensure

    folders = {name: ensure(name) for name in ("kokoro", "kokoro-voices")}
    monkeypatch.setattr(kokoro, "ensure", folders.__getitem__)
    monkeypatch.setenv("HARKEN_CACHE", str(cache))
    samples = speak.synthesise(text, language, voice)
    assert 0.8 < len(samples) / 16_000 < 4
    assert 0.05 < np.abs(samples).max() <= 1
    (path,) = (cache / "speech").glob("*.flac")
    described = json.loads(path.with_suffix(".json").read_text("utf-8"))
    assert (described["text"], described["voice"]) == (text, voice)
    monkeypatch.setattr(speak, "_say", None)  # it is not needed again
    np.testing.assert_array_equal(speak.synthesise(text, language, voice), samples)


def sounds(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("speech/[!.]*.flac")}


@pytest.mark.slow
def test_two_workers_make_what_one_makes_whatever_was_interrupted(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HARKEN_CACHE")
    parts = cache_dir() / "parts"
    shortest = sorted(spoken.planned_takes(), key=lambda take: len(take.line.text))
    english = [take for take in shortest if take.line.language == "en"][:3]
    takes = [*english, next(take for take in shortest if take.line.language == "zh")]
    one, two = cache / "one", cache / "two"
    for folder in (one, two):
        folder.mkdir()
        (folder / "parts").symlink_to(parts)
    monkeypatch.setenv("HARKEN_CACHE", str(one))
    spoken.make_takes(takes)
    assert len(sounds(one)) == len(takes)

    monkeypatch.setenv("HARKEN_CACHE", str(two))
    told: list[spoken.Progress] = []

    def ends_after_one(at: spoken.Progress) -> None:
        told.append(at)
        if at.done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        spoken.make_takes(takes[::-1], ends_after_one, workers=2)
    there = sounds(two)
    assert there and there.items() <= sounds(one).items()
    spoken.make_takes(takes, told.append, workers=2)
    assert sounds(two) == sounds(one)
    assert told[-1].done == told[-1].total == len(takes)
