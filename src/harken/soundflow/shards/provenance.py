"""Where the audio and the texts of a stream come from, with licence and attribution.

The rows of a data folder name their sources by short ids; a shard travels alone, so it carries the
whole record of each.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from harken.errors import HarkenError
from harken.soundflow.corpora import data_text, packages
from harken.soundflow.manifest import listed_clips

TRANSLATED, ASKED = "hsk-sentences-audio", "chatterbot-corpus"
"""The text packages whose sentences and questions are spoken or retold."""

_VOICES = "Kokoro-82M v1.0 voices (Apache-2.0)"


@dataclass(frozen=True, slots=True)
class Source:
    """One thing a stream was made of.

    Attributes:
        id: as the row names it, for example `ufoai-sound/8241bdac3d19`.
        kind: `recording`, `synthetic speech`, `made sound` or `text`.
        licence: as its publisher states it.
        attribution: who is to be named, in words.
        file: its path inside the published package; empty when there is none.
    """

    id: str
    kind: str
    licence: str
    attribution: str
    file: str = ""

    def __post_init__(self) -> None:
        if not self.licence or not self.attribution:
            raise HarkenError(
                f"source {self.id!r} has no {'licence' if not self.licence else 'attribution'}; "
                "only what may be passed on goes into a shard"
            )

    def as_json(self) -> dict[str, str]:
        """The record as plain JSON values."""
        return asdict(self)


def source_from(named: str | Mapping[str, Any]) -> Source:
    """The record of a source that a row names by its id, or of one that it spells out.

    Raises:
        HarkenError: the id is in no list, or the record lacks a licence or an attribution.
    """
    if not isinstance(named, str):
        fields = ("id", "kind", "licence", "attribution", "file")
        return Source(**{field: str(named.get(field, "")) for field in fields})
    if named.startswith("made:"):
        return Source(named, "made sound", "CC0-1.0", "made by rule by Harken")
    if "/" in named:
        return _recording(named)
    if named in _spoken_kinds():
        return Source(named, "synthetic speech", "Apache-2.0", f"{_VOICES}; text by Harken (CC0)")
    raise HarkenError(
        f"source {named!r} is in no list, so its licence is unknown; list it in the manifest or "
        "spell it out in the row with id, kind, licence and attribution"
    )


def sources_of(rows: Iterable[Mapping[str, Any]]) -> tuple[Source, ...]:
    """Every source of the rows of one stream once, in the order of their ids.

    A retold row does not say which texts it holds, so it names both packages they come from.
    """
    found: dict[str, Source] = {}
    for row in rows:
        for named in row.get("sources", ()):
            source = source_from(named)
            found[source.id] = source
        is_retold = bool(row.get("retold"))
        if is_retold or "sentence" in row.get("sources", ()):
            found[TRANSLATED] = _text(TRANSLATED)
        if is_retold:
            found[ASKED] = _text(ASKED)
    return tuple(found[id] for id in sorted(found))


def _recording(id: str) -> Source:
    known = _recordings().get(id)
    if known is None:
        raise HarkenError(
            f"recording {id!r} is not in the manifest, so its licence is unknown; compose the "
            "stream again with this version of Harken"
        )
    package, file, licence = known
    return Source(id, "recording", licence, _published(package), file)


@cache
def _text(package: str) -> Source:
    licence = next(p.licence for p in packages() if p.name == package)
    return Source(package, "text", licence, _published(package))


@cache
def _published(package: str) -> str:
    """The package as a reader can find it: name, version and registry."""
    p = next(p for p in packages() if p.name == package)
    registry = {"deb": "Debian", "pypi": "PyPI"}.get(p.registry, p.registry)
    return f"{registry} package {p.name} {p.version}, its authors as its copyright file names them"


@cache
def _recordings() -> dict[str, tuple[str, str, str]]:
    """Package, path inside it and licence by clip id."""
    return {
        clip.id: (
            clip.package,
            "/".join(clip.path.parts[clip.path.parts.index(clip.package) + 1 :]),
            clip.licence,
        )
        for clip in listed_clips()
    }


@cache
def _spoken_kinds() -> frozenset[str]:
    listed = {json.loads(line)["kind"] for line in data_text("spoken.jsonl").splitlines()}
    # Kinds of the starter pack that the list has none of.
    return frozenset(listed | {"sentence", "command"})
