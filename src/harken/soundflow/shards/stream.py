"""One stream inside a shard: its members as bytes, and back, with everything checked.

    <id>.json            variants, sources, profile, hashes of the other members
    <id>.sound.npy       float16 [chunks, 1545]
    <id>.acoustic.npy    float16 [chunks, 2560]
    <id>.flac            16 kHz mono, where the data folder kept it

The JSON comes first and names the sha256 of itself and of the rest, so that a stream can be
trusted without an index, read from a pipe.
"""

import hashlib
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harken.errors import HarkenError
from harken.soundflow.shards.provenance import Source, sources_of
from harken.stream import (
    CHUNK_SAMPLES,
    SAMPLE_RATE,
    Heard,
    Prefix,
    Profile,
    Said,
    Timeline,
    profile_named,
)
from harken.stream.fingerprint import check, fields_of, fingerprint

FORMAT = 1
"""Of shards and of their index; a reader refuses any other."""

EARS = ("sound", "acoustic")

F16 = npt.NDArray[np.float16]
F32 = npt.NDArray[np.float32]
Row = dict[str, Any]

# WebDataset takes what stands before the first dot for the id.
_ID = re.compile(r"[A-Za-z0-9_+-]{1,80}")
_COMPOSED = re.compile(r"(?:train|dev|test)-(?P<seed>\d+)-(?P<index>\d+)(?:-.*)?")


@dataclass(frozen=True, slots=True, eq=False)
class ShardStream:
    """A stream as a shard holds it.

    Attributes:
        id: the name of its audio; `rows` are its variants as in `streams.jsonl`.
        split: `train` or `dev`.
        n_chunks: chunks of 0.4 s.
        seed, index: what it was composed from; None for a stream that was not composed here.
        sources: what is in it, with licence and attribution.
        sound, acoustic: features by chunk, float16 [chunks, 1545] and [chunks, 2560].
        flac: the audio as a FLAC file; None where it was not kept.
    """

    id: str
    split: str
    n_chunks: int
    seed: int | None
    index: int | None
    rows: tuple[Row, ...]
    sources: tuple[Source, ...]
    sound: F16
    acoustic: F16
    flac: bytes | None

    @property
    def hours(self) -> float:
        """Duration of the audio, its last chunk whole."""
        return self.n_chunks * CHUNK_SAMPLES / SAMPLE_RATE / 3600

    def timelines(self) -> tuple[Timeline, ...]:
        """The timeline of every variant, in the order of `rows`."""
        return tuple(timeline_of(row) for row in self.rows)

    def samples(self) -> F32 | None:
        """The audio, float32 [samples] at 16 kHz; None where it was not kept."""
        if self.flac is None:
            return None
        import soundfile

        audio, _ = soundfile.read(io.BytesIO(self.flac), dtype="float32")
        return np.asarray(audio, np.float32)


def timeline_of(row: Mapping[str, Any]) -> Timeline:
    """The timeline of one row of a data folder."""
    return Timeline(
        Prefix(row["prefix"]["policy"], row["prefix"]["instruction"]),
        int(row["n_chunks"]),
        tuple(
            Heard(chunk * CHUNK_SAMPLES, (chunk + 1) * CHUNK_SAMPLES, "words", text)
            for chunk, text in row["words"]
        ),
        tuple(Said(chunk, text, emotion, cause) for chunk, text, emotion, cause in row["said"]),
        tuple(row["playing"]),
        tuple(row["stops"]),
    )


def pack(
    id: str,
    rows: list[Row],
    features: Mapping[str, bytes],
    flac: bytes | None,
    place: tuple[int, int],
    profile: Profile,
) -> dict[str, bytes]:
    """The members of a stream by extension, in their order; equal arguments give equal bytes.

    Args:
        id: the name of the stream.
        rows: its variants.
        features: the `.npy` bytes of each ear.
        flac: its audio, if it goes along.
        place: which stream of the shard it is, from 0, and of how many.
        profile: whose ears heard it.

    Raises:
        HarkenError: the id cannot stand in a shard, variants disagree, or a source is unknown.
    """
    require_id(id)
    if len({(row["split"], row["n_chunks"]) for row in rows}) != 1:
        raise HarkenError(f"the variants of stream {id} differ in split or n_chunks")
    split, n_chunks = rows[0]["split"], int(rows[0]["n_chunks"])
    for ear in EARS:
        shape = _array(features[ear]).shape
        if len(shape) != 2 or shape[0] != n_chunks:
            raise HarkenError(
                f"stream {id} has {n_chunks} chunks, its {ear} features the shape {shape}; "
                "compose it again"
            )
    composed = _COMPOSED.fullmatch(id)
    others = {f"{ear}.npy": features[ear] for ear in EARS} | ({"flac": flac} if flac else {})
    described = {
        "format": FORMAT,
        "id": id,
        "split": split,
        "n_chunks": n_chunks,
        "profile": {"name": profile.name, "fingerprint": fingerprint(profile)},
        "seed": int(composed["seed"]) if composed else None,
        "index": int(composed["index"]) if composed else None,
        "variants": rows,
        "sources": [source.as_json() for source in sources_of(rows)],
        "members": {name: _sha256(content) for name, content in others.items()},
        "shard": {"stream": place[0], "of": place[1]},
    }
    described["sha256"] = _sha256(_canonical(described))
    return {"json": _canonical(described)} | others


def unpack(
    members: Mapping[str, bytes], profile: Profile | None
) -> tuple[ShardStream, tuple[int, int]]:
    """A stream from its members by extension, and its place in the shard: the inverse of `pack`.

    `profile` is the one it must have been made for; None takes any.

    Raises:
        HarkenError: a member is missing, is not what was written, or another profile made it.
    """
    if "json" not in members:
        raise HarkenError(f"there is no description beside {', '.join(members)}")
    described = json.loads(members["json"])
    id, digest = described.get("id"), described.pop("sha256", None)
    if described.get("format") != FORMAT:
        raise HarkenError(f"stream {id} has format {described.get('format')}, not {FORMAT}")
    if digest != _sha256(_canonical(described)):
        raise HarkenError(f"the description of stream {id} is damaged")
    if profile is not None:
        require_profile(described["profile"], profile)
    for name, sha256 in described["members"].items():
        if _sha256(members.get(name, b"")) != sha256:
            how = "damaged" if name in members else "missing"
            raise HarkenError(f"{id}.{name} is {how}")
    stream = ShardStream(
        id=id,
        split=described["split"],
        n_chunks=described["n_chunks"],
        seed=described["seed"],
        index=described["index"],
        rows=tuple(described["variants"]),
        sources=tuple(Source(**each) for each in described["sources"]),
        sound=_array(members["sound.npy"]),
        acoustic=_array(members["acoustic.npy"]),
        flac=members.get("flac"),
    )
    return stream, (described["shard"]["stream"], described["shard"]["of"])


def require_id(id: str) -> None:
    """Refuse an id that is no safe name of a file, or that WebDataset would cut.

    Raises:
        HarkenError: it is one.
    """
    if not _ID.fullmatch(id):
        raise HarkenError(
            f"a stream cannot be called {id!r}; use up to 80 letters, digits, -, + and _"
        )


def require_profile(stored: Mapping[str, Any], profile: Profile) -> None:
    """Refuse a stream whose stored profile (name, fingerprint) is not `profile`.

    Raises:
        HarkenError: it is another one; the message names the field in which they differ.
    """
    if stored["fingerprint"] == fingerprint(profile):
        return
    if stored["name"] != profile.name:
        check(fields_of(profile_named(stored["name"])), profile, "it")
    raise HarkenError(
        f"it was made for a profile {stored['name']!r} with fingerprint "
        f"{stored['fingerprint'][:12]}, here {fingerprint(profile)[:12]}; make it again"
    )


def _array(npy: bytes) -> F16:
    return np.asarray(np.load(io.BytesIO(npy), allow_pickle=False), np.float16)


def _canonical(value: Any) -> bytes:
    """JSON of one spelling, so that its hash means its content."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
