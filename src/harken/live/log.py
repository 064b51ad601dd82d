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

    def __len__(self) -> int:
        return len(self._ids)

    def append(self, *pieces: Piece) -> None:
        """Add pieces made by `harken.stream.writer`."""
        for ids, owners in pieces:
            self._ids.extend(ids)
            self._owners.extend(owners)

    def stream(self) -> Stream:
        """The session so far as one stream."""
        return Stream(
            self._profile,
            np.array(self._ids, np.int32),
            np.frombuffer(bytes(self._owners), np.uint8),
        )
