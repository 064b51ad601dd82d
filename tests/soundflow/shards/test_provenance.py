"""Whatever is in a shard names its licence and who made it."""

import pytest

from harken.errors import HarkenError
from harken.soundflow.manifest import listed_clips
from harken.soundflow.shards.provenance import Source, source_from, sources_of


def test_a_recording_carries_the_licence_and_place_of_the_manifest() -> None:
    clip = next(clip for clip in listed_clips() if clip.package == "sonic-pi-samples")
    source = source_from(clip.id)
    assert source.kind == "recording" and source.licence == clip.licence
    assert "sonic-pi-samples 3.2.2" in source.attribution and "Debian" in source.attribution
    assert str(clip.path).endswith(source.file) and source.file.startswith("usr/")


def test_every_listed_recording_has_a_source() -> None:
    assert all(source_from(clip.id).licence for clip in listed_clips()[::97])


def test_made_sounds_and_synthetic_speech_are_told_apart() -> None:
    assert source_from("made:knock").kind == "made sound"
    assert source_from("order_count").kind == "synthetic speech"
    assert "Kokoro" in source_from("sentence").attribution


@pytest.mark.parametrize("unknown", ["ufoai-sound/000000000000", "rumour"])
def test_a_source_without_a_known_licence_is_refused_by_name(unknown: str) -> None:
    with pytest.raises(HarkenError, match=unknown):
        source_from(unknown)


def test_a_row_may_spell_its_source_out() -> None:
    record = {"id": "x/1", "kind": "recording", "licence": "CC0-1.0", "attribution": "Ann"}
    assert source_from(record) == Source("x/1", "recording", "CC0-1.0", "Ann")
    with pytest.raises(HarkenError, match="'x/1' has no licence"):
        source_from(record | {"licence": ""})


def test_translated_and_retold_words_name_the_packages_they_come_from() -> None:
    said = sources_of([{"sources": ["sentence", "made:knock"]}, {"sources": ["sentence"]}])
    assert [source.id for source in said] == ["hsk-sentences-audio", "made:knock", "sentence"]
    assert said[0].licence == "CC-BY-SA-4.0" and said[0].kind == "text"
    retold = sources_of([{"sources": ["question"], "retold": True}])
    assert {"chatterbot-corpus", "hsk-sentences-audio"} <= {source.id for source in retold}
