"""Markdown and HTML taken off a text: what is left is what a person would read out.

The marks are those of CommonMark and of the tables of GitHub. Code is omitted when it is long.
"""

from __future__ import annotations

import re

from harken.soundflow.speech.rule import Rule, rule

LONG_CODE_CHARACTERS = 40
"""Code of more characters, or of more than one line, is not read out."""

OMITTED = {"en": "code omitted", "zh": "代码省略"}
"""What is said in place of long code."""

_STOP = {"en": ".", "zh": "。"}
_ENDS = ".!?:;,…。！？：；，"


def markup_rules(language: str) -> tuple[Rule, ...]:
    """The rules that take markup off; the text they leave has no line breaks."""

    def code(match: re.Match[str]) -> str:
        inner = match["code"].strip()
        is_long = len(inner) > LONG_CODE_CHARACTERS or "\n" in inner
        return f" {OMITTED[language]} " if is_long else f" {inner} " if inner else " "

    def block(match: re.Match[str]) -> str:
        """End a heading, a list item or a paragraph with a stop where it has none."""
        before = match["before"]
        return before + ("" if before in _ENDS else _STOP[language]) + "\n"

    line = re.MULTILINE
    return (
        rule("code", r"^[ ]*(```|~~~)[^\n`]*\n(?P<code>.*?)(?:^[ ]*\1[`~]*|\Z)", code, line | re.S),
        rule("code", r"(?P<tick>`+)(?P<code>[^`]*?)(?P=tick)", code),
        rule("markup", r"<!--.*?-->", " ", re.S),
        rule("markup", r"<br ?/?>", "\n"),
        rule("markup", r"</?[A-Za-z][A-Za-z0-9-]*(?: [^<>\n]*)?/?>", ""),
        rule("link", r"!?\[(?P<text>[^\[\]\n]*)\]\([^()\s]*(?: \"[^\"\n]*\")?\)", _text),
        rule("link", r"\[(?P<text>[^\[\]\n]+)\]\[[^\[\]\n]*\]", _text),
        rule("markup", r"^[ ]{0,3}(?:[-*_][ ]*){3,}$", "", line),
        rule("markup", r"^[ ]*\|?(?:[ ]*:?-{2,}:?[ ]*\|)+(?:[ ]*:?-{2,}:?)?[ ]*$\n?", "", line),
        rule("markup", r"^[ ]*\|(?P<text>[^\n]*?)\|?[ ]*$", _cells, line),
        # A heading, quote or list mark opens a block of its own.
        rule("markup", r"^[ ]*(?:#{1,6}[ ]+|>[ ]?|[-*+•][ ]+(?:\[[ xX]\][ ]+)?)", "\n\n", line),
        rule("markup", r"^[ ]*(?P<text>[0-9]{1,3}[.)][ ]+)", lambda m: "\n\n" + m["text"], line),
        rule("markup", r"(?P<mark>\*{1,3})(?=[^\s*])(?P<text>[^*\n]*[^\s*])(?P=mark)", _text),
        rule(
            "markup",
            r"(?<![^\W_])(?P<mark>_{1,3})(?=[^\s_])(?P<text>[^\n]*?[^\s_])(?P=mark)(?![^\W_])",
            _text,
        ),
        rule("markup", r"~~(?P<text>[^~\n]+)~~", _text),
        rule("pause", r"(?P<before>\S)[ ]*\n[ ]*(?:\n\s*)+(?=\S)", block),
    )


def _text(match: re.Match[str]) -> str:
    return match["text"]


def _cells(match: re.Match[str]) -> str:
    return "\n\n" + ", ".join(cell.strip() for cell in match["text"].split("|") if cell.strip())
