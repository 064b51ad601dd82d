import json
from pathlib import Path

import pytest

from harken.errors import HarkenError
from harken.soundflow import texts


@pytest.fixture(autouse=True)
def corpora(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARKEN_CACHE", str(tmp_path))
    return tmp_path / "corpora"


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, "utf-8")


def test_sentences_are_short_chinese_and_come_once(corpora: Path) -> None:
    rows = [
        ("你好。", "Hello."),
        ("他用USB。", "He uses USB."),
        ("很" * 41, "Very long."),
        ("你好。", "Hi."),
        ("再见。", "Bye."),
    ]
    content = [{"chinese": zh, "translation": {"en": en}} for zh, en in rows]
    path = corpora / "hsk-sentences-audio/hsk_sentences_audio/data/sentences.json"
    write(path, json.dumps(content))
    assert texts.sentences_zh_en() == [("你好。", "Hello."), ("再见。", "Bye.")]


def test_exchanges_keep_turns_in_order_and_leave_out_code(corpora: Path) -> None:
    root = corpora / "chatterbot-corpus/chatterbot_corpus/data/english"
    write(
        root / "trivia.yml",
        "categories:\n- trivia\nconversations:\n- - When was that?\n  - 1963\n"
        f"- - {'long ' * 40}\n  - Yes.\n- - See http://a.b\n  - No.\n- - When was that?\n"
        "  - Long\n    ago.\n",
    )
    write(root / "coding.yml", "conversations:\n- - What is a loop?\n  - A repetition.\n")
    found = texts.exchanges()
    assert [each.turns for each in found] == [
        ("When was that?", "1963"),
        ("When was that?", "Long ago."),
    ]
    assert {each.category for each in found} == {"trivia"}
    assert texts.dialogue_lines() == ["When was that?", "1963", "Long ago."]
    with pytest.raises(HarkenError, match="'klingon': choose from english"):
        texts.exchanges("klingon")


def test_stamps_are_simplified_chinese(corpora: Path) -> None:
    root = corpora / "tuxpaint-stamps-default/usr/share/tuxpaint/stamps/animals"
    write(root / "cat.txt", "A cat.\nde.utf8=Eine Katze.\nzh_CN.utf8=猫。\nzh_TW.utf8=貓。\n")
    write(root / "dog.txt", "A dog.\nzh_TW.utf8=狗。\n")
    write(root / "empty.txt", "")
    assert texts.stamps() == [("猫。", "A cat.")]


@pytest.fixture
def home(corpora: Path) -> None:
    content = {
        "expansion_rules": {"the": "(the|my)"},
        "lists": {
            "color": {"values": [{"in": "red"}, {"in": "dark blue"}]},
            "area": {"values": []},
            "zone": {"wildcard": True},
            "brightness": {"range": {"from": 0, "to": 100}},
        },
        "intents": {
            "HassTurnOn": {"data": [{"sentences": ["turn on <the> {name}", "light {zone} up"]}]},
            "HassLightSet": {"data": [{"sentences": ["make <the> {area} {color}"]}]},
            "HassNevermind": {"data": [{"sentences": ["never ever mind"]}]},
            "HassMediaPause": {"data": [{"sentences": ["pause"]}]},
        },
    }
    path = corpora / "home-assistant-intents/home_assistant_intents/data/en.json"
    write(path, json.dumps(content))


def test_home_commands_are_full_sentences_without_gaps(home: None) -> None:
    commands = texts.home_commands(500)
    assert len(set(commands)) == len(commands) > 20
    assert {command.split()[0] for command in commands} == {"turn", "make"}
    assert not [command for command in commands if set("{}<>[]()|") & set(command)]
    assert "make the kitchen dark blue" in commands


def test_home_commands_depend_on_the_seed_only(home: None) -> None:
    assert texts.home_commands(10, seed=3) == texts.home_commands(10, seed=3)
    assert texts.home_commands(10, seed=3) != texts.home_commands(10, seed=4)
    assert len(texts.home_commands(10)) == 10
    with pytest.raises(HarkenError, match="'fr'"):
        texts.home_commands(language="fr")


@pytest.mark.parametrize(
    "read", [texts.sentences_zh_en, texts.exchanges, texts.home_commands, texts.stamps]
)
def test_without_the_package_the_user_is_told_what_to_run(read: object) -> None:
    assert callable(read)
    with pytest.raises(HarkenError, match="harken data fetch"):
        read()
