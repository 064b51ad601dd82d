"""Text to ids and back, with the guard: text never becomes a control id."""

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer

from harken.errors import HarkenError
from harken.stream.profile import Profile


def _byte_symbols() -> dict[int, str]:
    """The printable symbol of every byte in a byte-level BPE (GPT-2's table)."""
    keep = [*range(33, 127), *range(161, 173), *range(174, 256)]
    symbols = {b: chr(b) for b in keep}
    spare = 256
    for b in range(256):
        if b not in symbols:
            symbols[b] = chr(spare)
            spare += 1
    return symbols


_SYMBOL_OF = _byte_symbols()
_BYTE_OF = {symbol: b for b, symbol in _SYMBOL_OF.items()}


class Vocabulary:
    """The byte-level tokenizer of a profile, with its control ids kept out of text.

    Immutable after construction and safe to share between sessions.
    """

    def __init__(self, profile: Profile, tokenizer: Tokenizer) -> None:
        self.profile = profile
        self._tokenizer = tokenizer
        self._controls = profile.control_ids
        self._byte_ids: dict[int, int] = {}
        for byte, symbol in _SYMBOL_OF.items():
            i = tokenizer.token_to_id(symbol)
            if i is None:
                raise HarkenError(
                    f"the tokenizer of profile {profile.name} lacks the token of byte {byte}; "
                    "it is not a byte-level BPE: fetch the decoder part again"
                )
            self._byte_ids[byte] = i

    @classmethod
    def load(cls, profile: Profile, path: Path) -> "Vocabulary":
        """Read a `tokenizer.json`."""
        try:
            return cls(profile, Tokenizer.from_file(str(path)))
        except HarkenError:
            raise
        except Exception as broken:
            raise HarkenError(
                f"cannot read the tokenizer {path} ({broken}); delete the folder {path.parent} "
                "and run again"
            ) from broken

    def encode(self, text: str) -> list[int]:
        """Ids of `text`; any text encodes, and none of the ids is a control id.

        A piece that the tokenizer would map to a control id is spelled in bytes instead.
        """
        clean = text.encode("utf-8", errors="replace").decode("utf-8")
        ids: list[int] = []
        for i in self._tokenizer.encode(clean, add_special_tokens=False).ids:
            if i in self._controls or i >= self.profile.text_ids:
                ids.extend(self._byte_ids[b] for b in self._bytes_of(i))
            else:
                ids.append(i)
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """Text of ordinary ids; a control id among them is an error of the caller."""
        return self.decode_bytes(ids).decode("utf-8", errors="replace")

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """UTF-8 bytes of ordinary ids: pieces of a character may come alone."""
        return b"".join(self._bytes_of(self._text_id(i)) for i in ids)

    def _text_id(self, i: int) -> int:
        if i in self._controls or not 0 <= i < self.profile.text_ids:
            raise HarkenError(f"id {i} is not text in profile {self.profile.name}")
        return i

    def _bytes_of(self, i: int) -> bytes:
        token = self._tokenizer.id_to_token(i)
        if token is None:
            raise HarkenError(f"id {i} has no token in profile {self.profile.name}")
        try:
            return bytes(_BYTE_OF[symbol] for symbol in token)
        except KeyError:  # an added token is spelled in plain characters
            return token.encode("utf-8")
