"""Chinese as it is misheard: other characters, the same sounds."""

import numpy as np
import pytest
from pypinyin import lazy_pinyin

from harken.soundflow.homophones import with_slips
from harken.soundflow.sources import sentences_zh_en


def test_a_slip_sounds_like_what_was_said_and_half_of_the_sentences_have_one() -> None:
    random, slipped, characters, exchanged = np.random.default_rng(0), 0, 0, 0
    said = [zh for zh, _ in sentences_zh_en()[:600]]
    for text in said:
        heard = with_slips(text, random)
        plain = "".join(c for c in text if c not in "，、：；“”")
        bare = "".join(c for c in heard if c not in "，、：；“”")
        assert [lazy_pinyin(c) for c in bare] == [lazy_pinyin(c) for c in plain]
        slipped += bare != plain
        if bare != plain:
            characters += len(plain)
            exchanged += sum(a != b for a, b in zip(bare, plain, strict=True))
    assert 0.3 < slipped / len(said) < 0.5
    assert 0.1 < exchanged / characters < 0.3


@pytest.mark.parametrize("text", ["Where is the station?", "", "OK."])
def test_what_is_not_chinese_stays_as_it_is(text: str) -> None:
    random = np.random.default_rng(1)
    assert all(with_slips(text, random) == text for _ in range(20))
