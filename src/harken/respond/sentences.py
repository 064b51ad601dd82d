"""From streamed text to pieces that can be spoken: sentences, or clauses where those are long.

A voice needs whole clauses to know their melody, and a listener wants the first sound soon. So a
piece ends with its sentence; the first piece of a reply, and any long one, already at a comma; a
long first clause before its next phrase.
"""

# The signs that look like others are the point here.
# ruff: noqa: RUF001

import re
from collections.abc import Iterable, Iterator

FIRST_WIDTHS = ((12, 36), (30, 80))
"""Of the first pieces: from the first width on one may end at a comma, beyond the second it ends
before a word that begins a phrase: 0.8 and 2.4 s of speech. While the first is heard, the next one
is made, which may so be twice as long."""
CLAUSE_WIDTH = 70
"""From this width on every piece may end at a comma: some 5 s."""
MOST_WIDTH = 160
"""A piece without a mark is cut between two words here: some 11 s."""

_CLAUSE_MARKS, _SENTENCE_MARKS = frozenset(",;:，；：、—"), frozenset(".!?…。！？")
_CLAUSE_PAUSE_S, _SENTENCE_PAUSE_S = 0.12, 0.25

_HAN_LETTERS = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_HAN = re.compile(f"[{_HAN_LETTERS}]")
_WORD = re.compile(rf"[{_HAN_LETTERS}]|[^\W_{_HAN_LETTERS}]+")
_HAN_WIDTH = 3  # Mandarin has some 4.5 characters a second, English 15
_JOINTS = re.compile(
    r" (?=(?:and|but|or|so|because|that|which|who|when|while|where|if"
    r"|of|in|on|at|for|with|from|to)\s)"
)
_MARKS = re.compile("[.!?…。！？,;:，；：、—\n]+[\"'”’»」』)）\\]]*")
_CLOSERS = "\"'”’»」』)）]"
_OPENERS = "\"'“‘«「『(（["
_ABBREVIATIONS = re.compile(
    "mr|mrs|ms|dr|prof|st|sr|jr|vs|etc|no|fig|approx|dept|est|inc|ltd|co|mt|gen|capt|sgt|rev",
    re.IGNORECASE,
)
_DOTTED = re.compile(r"(?:[A-Za-z]\.)*[A-Za-z]")  # an initial, or e.g, a.m, U.S


def language_of(text: str) -> str:
    """`zh` for a text with Chinese characters, else `en`."""
    return "zh" if _HAN.search(text) else "en"


def words_of(text: str) -> list[str]:
    """Its words without case and marks; every Chinese character is one."""
    return _WORD.findall(text.casefold())


def width(text: str) -> int:
    """How long a text takes to say, in English characters (some 15 a second)."""
    return len(text) + (_HAN_WIDTH - 1) * len(_HAN.findall(text))


def pause_s(piece: str) -> float:
    """Seconds of silence that belong behind a piece, by the mark at its end."""
    last = piece.rstrip().rstrip(_CLOSERS)[-1:]
    if last in _CLAUSE_MARKS:
        return _CLAUSE_PAUSE_S
    return _SENTENCE_PAUSE_S if last in _SENTENCE_MARKS else 0.0


class SentenceCutter:
    """Cuts one reply while it comes in. All pieces joined are the text.

    A piece is given out as soon as its end is certain. That of a number or an abbreviation
    ("3.", "Dr.") and of a comma is known one character later.
    """

    def __init__(self) -> None:
        self._text = ""
        self._n_cut = 0

    def push(self, text: str) -> list[str]:
        """The pieces that end within what is there by now; none is empty."""
        self._text += text
        pieces = []
        while end := _end_of_piece(self._text, self._n_cut):
            pieces.append(self._text[:end])
            self._text, self._n_cut = self._text[end:], self._n_cut + 1
        return pieces

    def finish(self) -> list[str]:
        """The rest: one piece or none."""
        rest, self._text, self._n_cut = self._text, "", 0
        return [rest] if rest else []


def sentences_of(texts: Iterable[str]) -> Iterator[str]:
    """The pieces of one reply that comes in as `texts`, each as early as it is certain."""
    cutter = SentenceCutter()
    for text in texts:
        yield from cutter.push(text)
    yield from cutter.finish()


def _end_of_piece(text: str, n: int) -> int:
    """Where the piece ends with which `text` begins, the `n`th; 0 when it may go on."""
    clause = CLAUSE_WIDTH
    if n < len(FIRST_WIDTHS):
        clause, most = FIRST_WIDTHS[n]
        if end := _at_a_mark(text, clause, most) or _before_a_phrase(text, clause, most):
            return end
    return _at_a_mark(text, clause, MOST_WIDTH) or _between_words(text)


def _at_a_mark(text: str, clause: int, most: int) -> int:
    """The end of the first sentence no wider than `most`, or of a clause at least so wide."""
    for mark in _MARKS.finditer(text):
        before = text[: mark.start()]
        if width(before) > most:
            break
        if not any(map(str.isalnum, before)):
            continue  # nothing to say yet
        if _ends_sentence(text, mark) or (width(before) >= clause and _ends_clause(text, mark)):
            return mark.end()
    return 0


def _ends_sentence(text: str, mark: re.Match[str]) -> bool:
    signs = mark[0].rstrip(_CLOSERS)
    if set(signs) & set("!?…。！？\n") or ".." in signs:
        return True
    if "." not in signs:
        return False
    before = text[: mark.start()].strip()
    last = before.rpartition(" ")[2].lstrip(_OPENERS)
    after = text[mark.end() : mark.end() + 1]
    if last[-1:].isdigit():  # a decimal may go on; a number alone counts what follows it
        return after.isspace() and before != last
    if _ABBREVIATIONS.fullmatch(last) or _DOTTED.fullmatch(last):
        return False
    return not after.isalnum()


def _ends_clause(text: str, mark: re.Match[str]) -> bool:
    if set(mark[0]) & set("，；：、—"):
        return True
    return bool(set(mark[0]) & set(",;:")) and text[mark.end() : mark.end() + 1].isspace()


def _before_a_phrase(text: str, least: int, most: int) -> int:
    """The last joint between two widths; 0 where there is none, or no more text than that."""
    if width(text) <= most:
        return 0
    ends = [joint.start() for joint in _JOINTS.finditer(text)]
    return max((n for n in ends if least <= n <= most), default=0)


def _between_words(text: str) -> int:
    """The last break between words in the widest piece; 0 where there is less text."""
    if width(text) <= MOST_WIDTH:
        return 0
    end = used = 0
    while used < MOST_WIDTH:
        used += width(text[end])
        end += 1
    space = text.rfind(" ", 1, end)
    return space if text[:space].strip() and space > 0 else end
