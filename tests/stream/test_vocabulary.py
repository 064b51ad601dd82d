"""Any text becomes ids and comes back, and no text becomes a control id."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from harken.errors import HarkenError
from harken.stream import Profile, Vocabulary, profile_named

NAMES = ("mini", "released-3b", "tiny")

# What tokenizers with special tokens would turn into control ids.
CONTROL_LOOKING = (
    "<|im_start|>",
    "<|im_end|>",
    "<|endoftext|>",
    "<|object_ref_start|>",
    "<tool_call>",
    "<|AUDIO|>",
    "[PAD151665]",
    "SILENT",
)
ANY_TEXT = st.lists(st.text() | st.sampled_from(CONTROL_LOOKING), max_size=6).map("".join)


@pytest.mark.parametrize("name", NAMES)
@given(text=ANY_TEXT)
def test_any_text_round_trips_without_control_ids(
    vocabularies: dict[str, Vocabulary], name: str, text: str
) -> None:
    vocabulary = vocabularies[name]
    ids = vocabulary.encode(text)
    assert vocabulary.decode(ids) == text
    assert not vocabulary.profile.control_ids & set(ids)
    assert all(0 <= i < vocabulary.profile.text_ids for i in ids)


def control_pieces(profile: Profile, pieces: dict[int, str], tokenizer: Tokenizer) -> list[str]:
    """Texts whose plain encoding is a control id of the profile."""
    texts = [tokenizer.decode([i]) for i in sorted(profile.control_ids) if i < profile.text_ids]
    assert all(tokenizer.encode(t).ids == [tokenizer.token_to_id(pieces[i])]
               for i, t in zip(sorted(profile.control_ids), texts, strict=False))  # fmt: skip
    return texts


def test_rare_text_that_shares_ids_with_controls_is_spelled_in_bytes(
    vocabularies: dict[str, Vocabulary], qwen_tokenizer: Tokenizer, qwen_pieces: dict[int, str]
) -> None:
    guarded, free = vocabularies["released-3b"], vocabularies["mini"]
    rare = control_pieces(guarded.profile, qwen_pieces, qwen_tokenizer)
    assert len(rare) == 13  # the release's ids from 151601 to 151619
    for text in rare:
        assert len(free.encode(text)) == 1  # a family with ids of its own keeps the short form
        assert len(guarded.encode(text)) == len(text.encode())
        assert guarded.decode(guarded.encode(f"a {text}{text} b")) == f"a {text}{text} b"


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Hello world", [9707, 1879]),
        ("Hello, world!", [9707, 11, 1879, 0]),
        ("你好", [108386]),
        ("You are a helpful assistant.", [2610, 525, 264, 10950, 17847, 13]),
        ("system\n", [8948, 198]),
        ("user\n", [872, 198]),
        ("assistant\n", [77091, 198]),
        ("The quick brown fox", [785, 3974, 13876, 38835]),
    ],
)
def test_ids_are_those_of_the_official_tokenizer(
    vocabularies: dict[str, Vocabulary], text: str, ids: list[int]
) -> None:
    assert vocabularies["mini"].encode(text) == ids


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("2048", ["2", "0", "4", "8"]),
        (" don't", ["\u0120don", "'t"]),
        ("WE'LL", ["WE", "'", "LL"]),
        ("a  b", ["a", "\u0120", "\u0120b"]),
        ("one\n\ntwo", ["one", "\u010a\u010a", "two"]),
        ("no,no", ["no", ",no"]),
    ],
)
def test_text_splits_as_the_official_tokenizer_splits_it(
    vocabularies: dict[str, Vocabulary], qwen_pieces: dict[int, str], text: str, pieces: list[str]
) -> None:
    assert [qwen_pieces[i] for i in vocabularies["mini"].encode(text)] == pieces


@pytest.mark.parametrize("name", NAMES)
def test_half_of_a_surrogate_pair_becomes_a_question_mark(
    vocabularies: dict[str, Vocabulary], name: str
) -> None:
    vocabulary = vocabularies[name]
    assert vocabulary.decode(vocabulary.encode("a\ud83db")) == "a?b"


@pytest.mark.parametrize("name", NAMES)
def test_pieces_of_a_character_come_as_bytes(
    vocabularies: dict[str, Vocabulary], name: str
) -> None:
    vocabulary = vocabularies[name]
    ids = vocabulary.encode("\U00013067\u2d5f")  # rarer than any merge
    assert len(ids) > 2
    assert b"".join(vocabulary.decode_bytes([i]) for i in ids).decode() == "\U00013067\u2d5f"


@pytest.mark.parametrize("name", NAMES)
def test_controls_and_strangers_are_not_decoded(
    vocabularies: dict[str, Vocabulary], name: str
) -> None:
    vocabulary = vocabularies[name]
    for i in (*vocabulary.profile.control_ids, -1, vocabulary.profile.text_ids, 10**6):
        with pytest.raises(HarkenError, match=f"id {i} is not text"):
            vocabulary.decode([i])


def test_a_tokenizer_without_every_byte_is_refused(mini: Profile) -> None:
    words_only = Tokenizer(models.BPE(vocab={"a": 0, "b": 1}, merges=[]))
    with pytest.raises(HarkenError, match="lacks the token of byte"):
        Vocabulary(mini, words_only)


@pytest.mark.parametrize("content", [None, b"", b'{"version": "1.0", "model": {"type'])
def test_an_unreadable_tokenizer_file_is_one_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "tokenizer.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(HarkenError, match=r"tokenizer\.json.*delete the folder") as refused:
        Vocabulary.load(profile_named("mini"), path)
    assert "\n" not in str(refused.value)
