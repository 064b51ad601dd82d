"""Fixtures that several tests share: small real things, and the parts of the user's cache."""

import json
from pathlib import Path

import pytest
from hypothesis import settings
from tokenizers import Tokenizer, models, pre_tokenizers

from harken.stream import Profile, Vocabulary, profile_named

settings.register_profile("harken", deadline=None)  # tests never time
settings.load_profile("harken")


def byte_symbols() -> list[str]:
    """GPT-2's printable symbol of every byte, as its byte-level BPE writes them."""
    kept = {*range(33, 127), *range(161, 173), *range(174, 256)}
    spare = iter(range(256, 512))
    return [chr(b) if b in kept else chr(next(spare)) for b in range(256)]


@pytest.fixture(scope="session")
def tiny() -> Profile:
    return profile_named("tiny")


@pytest.fixture(scope="session")
def mini() -> Profile:
    return profile_named("mini")


@pytest.fixture(scope="session")
def tiny_tokenizer() -> Tokenizer:
    """256 ids, id b for byte b, and no merges."""
    vocab = {symbol: b for b, symbol in enumerate(byte_symbols())}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return tokenizer


@pytest.fixture(scope="session")
def tiny_vocabulary(tiny: Profile, tiny_tokenizer: Tokenizer) -> Vocabulary:
    return Vocabulary(tiny, tiny_tokenizer)


@pytest.fixture(scope="session")
def decoder_folder() -> Path:
    """The converted decoder of the user's cache."""
    from harken.parts.convert import converted

    return converted("decoder")


@pytest.fixture(scope="session")
def qwen_tokenizer(decoder_folder: Path) -> Tokenizer:
    return Tokenizer.from_file(str(decoder_folder / "tokenizer.json"))


@pytest.fixture(scope="session")
def qwen_pieces(decoder_folder: Path) -> dict[int, str]:
    """Symbols of the ids of the Qwen BPE, as its tokenizer.json lists them."""
    model = json.loads((decoder_folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    return {i: symbols for symbols, i in model["vocab"].items()}


@pytest.fixture(scope="session")
def vocabularies(qwen_tokenizer: Tokenizer, tiny_vocabulary: Vocabulary) -> dict[str, Vocabulary]:
    """A vocabulary for every profile; those of the Qwen family share one tokenizer."""
    qwen = {n: Vocabulary(profile_named(n), qwen_tokenizer) for n in ("mini", "released-3b")}
    return {"tiny": tiny_vocabulary, **qwen}
