"""Whose turn it is at the loudspeaker: an answer cuts what is played, an interpreter waits.

Captions and interpreting come as many short replies while somebody goes on speaking. Each says
again what was heard, so what is played stays true and is worth hearing to its end; an answer is
to something new, and so is whatever is urgent.
"""

from harken.respond.sentences import language_of

MOST_LAG_MS = 4000.0
"""A reply waits behind no more unheard sound than this."""


def says_again(text: str, words: str) -> bool:
    """Whether a reply that begins with `text` says again what somebody said.

    words: recognised in the chunk that it follows. Captions repeat them, interpreting puts the
    sentence that they end into another language.
    """
    said, heard = _letters(text), _letters(words)
    if not said or not heard:
        return False
    is_same = heard.startswith(said) or said.startswith(heard)
    return is_same or language_of(said) != language_of(heard)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
