"""A data folder stream by stream: the variants that share an audio, its features, its sound.

The list of a folder can be far larger than memory, so only the places of its lines are kept.
"""

import hashlib
import json
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from harken.errors import HarkenError
from harken.soundflow.rows import LIST, no_list, row_of
from harken.soundflow.shards.stream import EARS, Row

Name = tuple[str, str]
"""Split and name of a stream."""


@dataclass(frozen=True, slots=True)
class Listing:
    """An opened data folder: where in its list the variants of each stream are."""

    folder: Path
    lines: BinaryIO
    line_starts: dict[Name, list[int]]

    def names(self) -> list[Name]:
        """(split, name) of every stream, splits in order, the names in one without meaning.

        Composed streams are named by seed and number, and imagined copies after their original:
        in the order of their hashes each shard is a fair sample of its split.
        """
        return sorted(self.line_starts, key=lambda key: (key[0], _hashed(key[1])))

    def rows(self, split: str, name: str) -> list[Row]:
        """The variants of one stream, in the order of the list."""
        found = []
        for start in self.line_starts[split, name]:
            self.lines.seek(start)
            found.append(json.loads(self.lines.readline()))
        return found

    def features(self, name: str) -> dict[str, bytes]:
        """What each ear heard, as the bytes of an `.npy` file.

        Raises:
            HarkenError: the features are missing or broken.
        """
        path = self.folder / "features" / f"{name}.npz"
        try:
            with zipfile.ZipFile(path) as stored:
                return {ear: stored.read(f"{ear}.npy") for ear in EARS}
        except (OSError, KeyError, zipfile.BadZipFile) as broken:
            raise HarkenError(
                f"the features {path} of stream {name} cannot be read ({broken}); compose it again"
            ) from broken

    def flac(self, name: str) -> bytes | None:
        """The audio of a stream; None where the folder kept none."""
        path = self.folder / "audio" / f"{name}.flac"
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as broken:
            raise HarkenError(f"the audio {path} cannot be read ({broken})") from broken


@contextmanager
def listing(folder: Path) -> Iterator[Listing]:
    """Open a data folder; it may grow meanwhile, what is listed now stays.

    Raises:
        HarkenError: it is none, it lists nothing, or a line of its list is broken.
    """
    path = folder / LIST
    try:
        file = path.open("rb")
    except OSError as missing:
        raise no_list(folder, missing) from missing
    with file:
        starts: dict[Name, list[int]] = defaultdict(list)
        at = 0
        for number, line in enumerate(file, start=1):
            row = row_of(line, f"{path}, line {number}", ("split", "features"))
            starts[str(row["split"]), str(row["features"])].append(at)
            at += len(line)
        names = Counter(name for _, name in starts)
        if twice := [name for name, count in names.items() if count > 1]:
            raise HarkenError(
                f"{path}: stream {twice[0]} is in more than one split; dev and train share nothing"
            )
        if not starts:
            raise HarkenError(f"{path} lists no stream; compose some with `harken data build`")
        yield Listing(folder, file, dict(starts))


def _hashed(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()
