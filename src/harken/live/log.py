"""The ids of a session as they were written, with their owners: equal to training data."""

from array import array

import numpy as np

from harken.stream import Profile, Stream
from harken.stream.writer import Piece


class SessionLog:
    """Everything a session wrote, 5 bytes a position, compacted or not."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._ids = array("i")
        self._owners = bytearray()
        self._turns: dict[int, tuple[int, int]] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def append(self, *pieces: Piece) -> None:
        """Add pieces made by `harken.stream.writer`."""
        for ids, owners in pieces:
            self._ids.extend(ids)
            self._owners.extend(owners)

    def append_reply(self, chunk: int, *pieces: Piece) -> None:
        """Add the pieces of a chunk and its response, which may turn out to be cut short."""
        start = len(self)
        self.append(*pieces)
        self._turns[chunk] = (start, len(self))

    def rewrite(self, chunk: int, *pieces: Piece) -> None:
        """Put other pieces in the place of what `append_reply` wrote for that chunk."""
        start, end = self._turns[chunk]
        self._ids[start:end] = array("i", (i for ids, _ in pieces for i in ids))
        self._owners[start:end] = bytes(owner for _, owners in pieces for owner in owners)
        longer = sum(len(ids) for ids, _ in pieces) - (end - start)
        self._turns = {
            c: (s + longer * (s > start), e + longer * (s >= start))
            for c, (s, e) in self._turns.items()
        }

    def stream(self) -> Stream:
        """The session so far as one stream."""
        return Stream(
            self._profile,
            np.array(self._ids, np.int32),
            np.frombuffer(bytes(self._owners), np.uint8),
        )
