"""Somebody says "stop" over our voice and nothing else: a rule, beside what the listener learnt.

It learnt to end standing orders from thousands of examples and to fall silent from a few dozen; a
bare "stop" it takes for the former and would answer. Who says it must be obeyed. So words that can
mean nothing else decide, and the listener decides about all others ("not now", "drop it"). Words
that only agree ("mhm", "all right") never stop us, whatever it thinks of them.

Words are committed piece by piece: "stop" may follow " the bus" of a chunk before, or be followed
by " the music". An utterance is what was said without a pause, and is judged at its end.
"""

import re
from dataclasses import dataclass

from harken.live.echo import theirs
from harken.perceive.percept import Percept
from harken.respond.sentences import words_of

PAUSE_CHUNKS = 3
"""After so many without a word another utterance begins."""
_P_SPEAKING = 0.55
"""From this speech probability of a chunk on somebody still speaks: a pause in which the words ear
commits its last word is at least 0.3 of the chunk's 0.4 s."""

_SENTENCE_END = re.compile("[.?!…。？！]+")
_ENGLISH = re.compile(
    "((please|okay|ok|no|wait|hey|harken|now|just|all right|alright) )*"
    "(stop|enough|quiet|be quiet|that s enough)"
    "( (stop|it|that|now|please|talking|speaking|enough|thanks|thank you|harken))*"
)
_CHINESE = re.compile(
    "(请|好了|好|快|先)*(停|停止|停下来?|停一下|别说了|不要说了|够了|安静|安静一下)(停|吧|了|谢谢)*"
)
# Every text can be read in one way only ("all right" not as one and as two): with two, a word said
# again and again would take for ever.
_ENGLISH_NODS = re.compile(
    "((mhm|mm+|hmm?|uh|huh|um|ah|oh|wow|yes|yeah|yep|yup|all|right|alright|okay|ok|sure"
    "|good|great|nice|cool|fine|well|really|true|exactly|indeed|interesting|of course|i see"
    "|got it|makes sense|go on|that s (right|true|good|great))( |$))+"
)
_CHINESE_NODS = re.compile(
    "(嗯|哦|噢|啊|哇|对|行|好的?|是的?|是吗|真的吗?|没错|不错|明白了?|知道了|原来如此|这样啊?|有意思)+"
)


def says_stop(words: str) -> bool:
    """Whether these words, heard alone, can only mean that our voice should fall silent."""
    heard = words_of(words)
    return bool(_ENGLISH.fullmatch(" ".join(heard)) or _CHINESE.fullmatch("".join(heard)))


def nods(words: str) -> bool:
    """Whether these words only agree, so that who speaks may go on."""
    heard = words_of(words)
    english, chinese = " ".join(heard), "".join(heard)
    return bool(_ENGLISH_NODS.fullmatch(english) or _CHINESE_NODS.fullmatch(chinese))


@dataclass(frozen=True, slots=True)
class Utterance:
    """What others have said since their last pause or the end of a sentence.

    told_to_stop: of the newest chunk; it is told once. waits: it would be, if nothing follows.
    agrees: the newest words of it, with no pause behind them, only agree.
    """

    text: str = ""
    quiet_chunks: int = 0
    waits: bool = False
    told_to_stop: bool = False
    agrees: bool = False

    def after(self, percept: Percept, aired: str) -> "Utterance":
        """The next chunk as the ears heard it; aired: what our voice said (`Playing.aired`)."""
        new = "".join(word.text for word in theirs(percept.words, aired))
        if not new:
            is_over = self.quiet_chunks + 1 >= PAUSE_CHUNKS
            text, agrees = ("", False) if is_over else (self.text, self.agrees)
            return Utterance(text, self.quiet_chunks + 1, told_to_stop=self.waits, agrees=agrees)
        *sentences, begun = _SENTENCE_END.split(self.text + new)
        goes_on = percept.p_speech >= _P_SPEAKING
        is_told = any(map(says_stop, sentences)) or (says_stop(begun) and not goes_on)
        said = [each for each in (*sentences, begun) if words_of(each)]
        agrees = all(map(nods, said)) if said else self.agrees
        waits = says_stop(begun) and goes_on
        return Utterance(begun, waits=waits, told_to_stop=is_told, agrees=agrees)
