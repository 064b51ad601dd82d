"""Which clips are offered for an event."""

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.errors import HarkenError
from harken.soundflow.ground.retrieve import Shelf, clip_text
from harken.soundflow.manifest import Clip
from harken.soundflow.plan import PlannedEvent

DOG = PlannedEvent(
    name="dog",
    label="dog_bark",
    role="fg",
    start_after=(0.0, 1.0),
    rough_duration_s=2.0,
    description="A large dog barks.",
    query="large dog barking loudly nearby",
    accept_tags=("Bark", "Dog"),
)


def word_vectors(texts: Sequence[str]) -> np.ndarray:
    """Bags of words, each word in a place of its own as far as 512 places go."""
    vectors = np.zeros((len(texts), 512), np.float32)
    for row, text in enumerate(texts):
        for word in text.lower().replace(",", " ").split():
            vectors[row, zlib.crc32(word.encode()) % 512] += 1
    return vectors / np.maximum(1e-9, np.linalg.norm(vectors, axis=1, keepdims=True))


def clip(name: str, label: str, seconds: float = 2.0, split: str = "train", kind: str = "event"):
    return Clip(
        id=f"{split}/{name}",
        path=Path(f"/x/{name}.ogg"),
        package="p",
        split=split,
        kind=kind,
        label=label,
        language="",
        text="",
        english="",
        seconds=seconds,
        licence="CC0-1.0",
    )


def names(clips: Sequence[Clip]) -> list[str]:
    return [c.path.stem for c in clips]


def test_a_clip_is_known_by_its_label_its_classes_and_its_file_name() -> None:
    text = clip_text(clip("bigDog_03-loud", "dog_bark"))
    assert text == "a dog barking, Bark, Bow-wow, Yip, big dog loud"
    assert clip_text(clip("GlassBreak2", "other_effect")) == "glass break"


def test_the_label_comes_first_then_the_length_then_the_words() -> None:
    shelf = Shelf(
        [
            clip("large_dog_barking_loudly_nearby", "other_effect"),
            clip("yap", "dog_bark"),
            clip("large_dog_loudly", "dog_bark", seconds=9.0),
            clip("large_dog", "dog_bark"),
            clip("cow", "cow_deer"),
        ],
        "train",
        word_vectors,
    )
    assert names(shelf.top(DOG)) == ["large_dog", "yap", "large_dog_loudly"]
    assert names(shelf.top(DOG, most=9)) == [
        "large_dog",
        "yap",
        "large_dog_loudly",
        "large_dog_barking_loudly_nearby",
    ], "a cow is too far off"
    assert names(shelf.top(DOG, without=["train/large_dog"], most=1)) == ["yap"]


def test_a_shelf_may_be_empty_and_the_split_must_exist() -> None:
    assert Shelf([], "train", word_vectors).top(DOG) == ()
    with pytest.raises(HarkenError, match="unknown split 'judge'"):
        Shelf([], "judge", word_vectors)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["dog_bark", "cow_deer", "other_effect"]),
            st.sampled_from(["train", "dev"]),
            st.sampled_from(["event", "speech_notext"]),
            st.sampled_from(["dog", "large dog", "bark", "x"]),
            st.floats(0.1, 20),
        ),
        max_size=12,
    ),
    st.sampled_from(["train", "dev"]),
    st.randoms(use_true_random=False),
)
def test_no_clip_of_another_split_is_offered_and_the_order_of_clips_does_not_matter(
    drawn: list[tuple[str, str, str, str, float]], split: str, shuffler
) -> None:
    clips = [
        clip(f"{words} {chr(97 + i)}{chr(97 + i)}", label, seconds, of, kind)
        for i, (label, of, kind, words, seconds) in enumerate(drawn)
    ]
    found = Shelf(clips, split, word_vectors).top(DOG)
    assert len(found) <= 3 and len({c.id for c in found}) == len(found)
    assert all(c.split == split and c.kind == "event" for c in found)
    exact = sum(c.label == "dog_bark" and c.split == split and c.kind == "event" for c in clips)
    assert [c.label for c in found[:exact]] == ["dog_bark"] * min(3, exact)
    shuffler.shuffle(clips)
    assert Shelf(clips, split, word_vectors).top(DOG) == found
