"""The runtime guard against announcing the same thing twice.

Saying things once is the model's job; this catches what slips through: a response with the very
text of the one before, within a few seconds, while nobody said a word in between. A count
("Three.") or a transcript differs each time, and after a question the same answer is in order.
"""

from dataclasses import dataclass, replace

from harken.live.trace import CHUNK_S


@dataclass(frozen=True, slots=True)
class SayOnce:
    """What was said last, unasked. `within_s` 0 switches the guard off."""

    within_s: float = 8.0
    text: str = ""
    chunk: int = -1

    def after_words(self) -> "SayOnce":
        """Somebody spoke: what comes next may be an answer."""
        return replace(self, text="", chunk=-1)

    def after(self, text: str, chunk: int) -> "SayOnce":
        """Something was said after `chunk`."""
        return replace(self, text=text, chunk=chunk)

    def may_become_repeat(self, beginning: str, chunk: int) -> bool:
        """Whether a response after `chunk` that begins so could still be a repeat."""
        in_time = (chunk - self.chunk) * CHUNK_S <= self.within_s
        return bool(self.text) and in_time and self.text.startswith(beginning)

    def is_repeat(self, text: str, chunk: int) -> bool:
        """Whether this whole response is one."""
        return self.may_become_repeat(text, chunk) and text == self.text
