"""The whole way from a manifest to usable clips, on recordings made here."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from harken.errors import HarkenError
from harken.soundflow import screen, sources
from harken.soundflow.manifest import Clip, Note
from harken.soundflow.screen import read_verdicts, screen_corpora, verdicts_path


def noise_bursts(seed: int, seconds: float = 0.5) -> np.ndarray:
    chooser = np.random.default_rng(seed)
    samples = chooser.standard_normal(int(16_000 * seconds))
    envelope = np.repeat(chooser.uniform(0, 1, 20) ** 3, len(samples) // 20)
    smoothing = int(chooser.integers(1, 12))
    smooth = np.convolve(samples, np.ones(smoothing) / smoothing, mode="same")
    return (0.2 * envelope * smooth[: len(envelope)]).astype(np.float32)


class Shelf:
    """A small manifest whose recordings lie in a folder of the test."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.clips: list[Clip] = []

    def add(self, name: str, samples: np.ndarray | None, **fields: str) -> None:
        path = self.folder / name
        path.write_bytes(b"broken")
        if samples is not None:
            soundfile.write(path, samples, 16_000)
        given = {"split": "train", "kind": "event", "label": "dog_bark"} | fields
        self.clips.append(
            Clip(
                id=name,
                path=path,
                package="box",
                split=given["split"],
                kind=given["kind"],
                label=given["label"],
                language=given.get("language", ""),
                text=given.get("text", ""),
                english=given.get("english", ""),
                seconds=9.0,
                licence="CC0",
            )
        )


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path)
    monkeypatch.setenv("HARKEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(screen, "listed_clips", lambda: shelf.clips)
    monkeypatch.setattr(sources, "each_listed", lambda: iter(shelf.clips))
    monkeypatch.setattr(sources, "notes", lambda: {})
    yield shelf


def used() -> dict[str, str]:
    """Label or transcript of every usable clip by id."""
    return {clip.id: clip.text or clip.label for clip in sources.clips()}


def test_a_copy_in_train_of_something_in_dev_is_left_out(shelf: Shelf) -> None:
    shelf.add("a.wav", noise_bursts(1))
    shelf.add("b.wav", noise_bursts(1), split="dev")
    shelf.add("again.ogg", 0.5 * noise_bursts(1))
    shelf.add("c.wav", noise_bursts(2))
    verdicts = read_verdicts(screen_corpora())
    assert Counter(v.drop for v in verdicts.values() if v.drop) == {"copy of dev": 2}
    assert verdicts["a.wav"].copy_of == verdicts["again.ogg"].copy_of == "b.wav"
    assert set(used()) == {"b.wav", "c.wav"}


def test_silent_and_broken_recordings_are_left_out(shelf: Shelf) -> None:
    shelf.add("quiet.wav", noise_bursts(1) * 1e-3)
    shelf.add("broken.wav", None)
    shelf.add("good.wav", noise_bursts(1))
    verdicts = read_verdicts(screen_corpora())
    dropped = Counter(v.drop for v in verdicts.values() if v.drop)
    assert dropped == {"silent": 1, "unreadable": 1}
    (clip,) = sources.clips()
    assert (clip.id, clip.seconds) == ("good.wav", 0.5)  # measured, not as listed
    np.testing.assert_allclose(sources.load(clip), noise_bursts(1), atol=1e-4)


def test_a_copy_lends_its_label_to_one_without(shelf: Shelf) -> None:
    shelf.add("a.wav", noise_bursts(1), label="other_effect", split="dev")
    shelf.add("b.wav", noise_bursts(1), label="owl")
    screen_corpora()
    assert used() == {"a.wav": "owl"}


def test_notes_correct_labels_and_drop_clips(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.add("a.wav", noise_bursts(1))
    shelf.add("b.wav", noise_bursts(2))
    shelf.add("same-as-c.wav", noise_bursts(3))
    shelf.add("c.wav", noise_bursts(3))
    found = {"a.wav": Note("", "speech"), "c.wav": Note("fox", "no dog")}
    monkeypatch.setattr(sources, "notes", lambda: found)
    screen_corpora()
    assert used() == {"b.wav": "dog_bark", "same-as-c.wav": "fox"}


def test_the_transcript_is_the_one_most_copies_carry(shelf: Shelf) -> None:
    for name, text in [("a.wav", "The sign for A."), ("b.wav", "The letter A."), ("c.wav", "")]:
        kind = "speech" if text else "speech_notext"
        shelf.add(name, noise_bursts(1), kind=kind, label="speech", text=text, language="en")
    shelf.add("d.wav", noise_bursts(1), kind="speech", label="speech", text="The letter A.")
    screen_corpora()
    assert used() == {"a.wav": "The letter A."}


def test_two_people_saying_the_same_are_no_copies(shelf: Shelf) -> None:
    """Only equal samples count for speech: alike is not the same there."""
    for name, level in [("a.wav", 1.0), ("b.wav", 0.5)]:
        shelf.add(name, level * noise_bursts(1), kind="speech", label="speech", text="yes")
    screen_corpora()
    assert set(used()) == {"a.wav", "b.wav"}


def test_clips_are_chosen_by_split_kind_label_and_language(shelf: Shelf) -> None:
    shelf.add("a.wav", noise_bursts(1))
    shelf.add("b.wav", noise_bursts(2), label="owl", split="dev")
    shelf.add("c.wav", noise_bursts(3), kind="speech", label="speech", text="oui", language="fr")
    screen_corpora()
    assert [clip.id for clip in sources.clips(split="dev")] == ["b.wav"]
    assert [clip.id for clip in sources.clips(kind="speech")] == ["c.wav"]
    assert [clip.id for clip in sources.clips(labels=["owl", "dog_bark"])] == ["a.wav", "b.wav"]
    assert [clip.id for clip in sources.clips(language="fr")] == ["c.wav"]


def test_wrong_choices_are_named(shelf: Shelf) -> None:
    with pytest.raises(HarkenError, match=r"split 'judge'.*train, dev, test"):
        sources.clips(split="judge")
    with pytest.raises(HarkenError, match="kind 'music'"):
        sources.clips(kind="music")
    with pytest.raises(HarkenError, match="collection"):
        sources.clips(labels="owl")
    with pytest.raises(HarkenError, match="split 'judge'"):
        sources.speech_pack("judge")
    with pytest.raises(HarkenError, match="harken data speak --test"):
        sources.speech_pack("test")


def test_before_screening_the_user_is_told_what_to_run(shelf: Shelf) -> None:
    assert not verdicts_path().exists()
    with pytest.raises(HarkenError, match="harken data fetch"):
        sources.clips()


def test_a_second_screening_gives_the_same(shelf: Shelf) -> None:
    for seed in range(4):
        shelf.add(f"{seed}.wav", noise_bursts(seed % 3))
    first = screen_corpora().read_bytes()
    steps: list[int] = []
    second = screen_corpora(lambda done, total, what: steps.append(done)).read_bytes()
    assert first == second
    assert steps == [0, 4]
