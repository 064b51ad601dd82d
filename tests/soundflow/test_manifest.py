from collections import Counter

import pytest

from harken.soundflow.manifest import (
    KINDS,
    UNLABELLED,
    Clip,
    clip_id,
    listed_clips,
    manifest_hash,
    notes,
)


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    return listed_clips()


def test_every_row_is_a_clip_with_an_id_of_its_own(clips: list[Clip]) -> None:
    assert len({clip.id for clip in clips}) == len(clips) == 17_239
    assert {clip.split for clip in clips} == {"train", "dev"}
    assert {clip.kind for clip in clips} == set(KINDS)
    assert all(clip.licence and clip.label for clip in clips)


def test_an_id_depends_on_the_path_inside_the_package_only(clips: list[Clip]) -> None:
    assert clip_id("scratch", "a/b.wav") == "scratch/3549c5121e6b"
    assert clip_id("scratch", "a/b.wav") != clip_id("pygame", "a/b.wav")
    first = clips[0]
    assert first.id == clip_id("alsa-utils", "usr/share/sounds/alsa/Front_Center.wav")
    assert first.text == "Front Center"


def test_transcripts_are_what_is_said(clips: list[Clip]) -> None:
    spoken = [clip for clip in clips if clip.kind == "speech"]
    assert all(clip.text and clip.label == "speech" for clip in spoken)
    assert all(clip.text == "" == clip.english for clip in clips if clip.kind != "speech")
    prompts = [clip for clip in spoken if clip.package.startswith("asterisk-")]
    assert not [clip.text for clip in prompts if set("[]()<>") & set(clip.text)]
    assert "at" in {clip.text for clip in prompts}  # written "at [@]" in the package


def test_notes_speak_of_rows_that_exist_and_change_them(clips: list[Clip]) -> None:
    by_id = {clip.id: clip for clip in clips}
    assert set(notes()) <= set(by_id)
    assert all(note.reason for note in notes().values())
    unchanged = [by_id[i].path for i, note in notes().items() if note.label == by_id[i].label]
    assert unchanged == []


def test_the_saxophone_is_no_phone(clips: list[Clip]) -> None:
    (saxophone,) = (clip for clip in clips if clip.path.name == "saxophone.ogg")
    assert saxophone.label == "phone_ring"
    assert notes()[saxophone.id].label == "instrument_music"


def test_most_sounds_are_left_as_they_were_named(clips: list[Clip]) -> None:
    sounds = Counter(clip.kind for clip in clips)["event"]
    corrected = [note for note in notes().values() if note.label != UNLABELLED]
    assert len(corrected) < 0.2 * sounds


def test_the_manifest_has_a_short_hash() -> None:
    assert len(manifest_hash()) == 12
