"""Timelines and live events to ids: the only place where control ids are written.

A stream is the concatenation of pieces: the prefix, then for each chunk what was heard, then the
decision, and after a respond the response. Training and the live session call the same functions.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from harken.stream.policy import Prefix
from harken.stream.profile import Profile
from harken.stream.timeline import Timeline
from harken.stream.vocabulary import Vocabulary


class Owner(IntEnum):
    """Who decides what stands at a position; loss falls on `SAID` alone."""

    HEARD = 0
    FORCED = 1
    SAID = 2


@dataclass(frozen=True, slots=True)
class Stream:
    """Ids and their owners.

    ids: int32 [n]; owners: uint8 [n]. Audio positions hold the id of `AUDIO`; the k-th of them
    belongs to chunk k // profile.audio_positions.
    """

    profile: Profile
    ids: npt.NDArray[np.int32]
    owners: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return int(self.ids.shape[0])

    @property
    def loss_mask(self) -> npt.NDArray[np.bool_]:
        """bool [n]: positions whose id is to be predicted from what stands before."""
        mask: npt.NDArray[np.bool_] = self.owners == Owner.SAID
        return mask

    @property
    def audio_mask(self) -> npt.NDArray[np.bool_]:
        """bool [n]: positions whose embedding the ears supply."""
        mask: npt.NDArray[np.bool_] = self.ids == self.profile.audio_id
        return mask


Piece = tuple[list[int], list[Owner]]


def _piece(ids: Iterable[int], owner: Owner) -> Piece:
    listed = list(ids)
    return listed, [owner] * len(listed)


def _join(*pieces: Piece) -> Piece:
    return [i for p in pieces for i in p[0]], [o for p in pieces for o in p[1]]


def prefix_piece(vocabulary: Vocabulary, prefix: Prefix) -> Piece:
    """The forced opening of a session."""
    profile = vocabulary.profile
    return _piece(
        (
            *(profile.control(n) for n in profile.prefix_open),
            *vocabulary.encode(profile.prefix_head + prefix.text()),
            *(profile.control(n) for n in profile.prefix_close),
        ),
        Owner.FORCED,
    )


def chunk_piece(vocabulary: Vocabulary, words: str = "", playing: bool = False) -> Piece:
    """One chunk up to, not including, its decision.

    `words` are the recognised words committed in this chunk (ignored by profiles without words);
    `playing` tells that our own voice was audible while the chunk was captured.
    """
    profile = vocabulary.profile
    heard: Piece = ([], [])
    if profile.words and words:
        heard = _join(
            _piece([profile.control("HEARD")], Owner.FORCED),
            _piece(vocabulary.encode(words), Owner.HEARD),
        )
    forced = [profile.control("PLAYING")] if playing and profile.hears_itself else []
    return _join(
        _piece((profile.control(n) for n in profile.open), Owner.FORCED),
        _piece([profile.audio_id] * profile.audio_positions, Owner.HEARD),
        heard,
        _piece(forced, Owner.FORCED),
        _piece((profile.control(n) for n in profile.close), Owner.FORCED),
    )


def decision_piece(profile: Profile, decision: str) -> Piece:
    """The control position of one chunk: "silent", "respond" or "stop"."""
    return _piece([profile.control(decision.upper())], Owner.SAID)


def response_piece(vocabulary: Vocabulary, text: str, emotion: str) -> Piece:
    """What follows a respond: emotion, text, end."""
    profile = vocabulary.profile
    tag = [profile.control(emotion.upper())] if profile.emotions else []
    return _piece((*tag, *vocabulary.encode(text), profile.end_id), Owner.SAID)


def stream_of(profile: Profile, pieces: Iterable[Piece]) -> Stream:
    """Pieces in their order as one stream."""
    ids, owners = _join(*pieces)
    return Stream(profile, np.asarray(ids, np.int32), np.asarray(owners, np.uint8))


def write(timeline: Timeline, vocabulary: Vocabulary) -> Stream:
    """The whole session as one stream.

    A stop in a profile without that decision is a `HarkenError`; words and playback that a
    profile cannot hold are left out (`Timeline.canonical`).
    """
    profile = vocabulary.profile
    said = {s.chunk: s for s in timeline.said}
    playing, stops = set(timeline.playing), set(timeline.stops)
    words = timeline.words_by_chunk(profile.chunk_samples)
    pieces = [prefix_piece(vocabulary, timeline.prefix)]
    for chunk in range(timeline.n_chunks):
        pieces.append(chunk_piece(vocabulary, words.get(chunk, ""), chunk in playing))
        if chunk in said:
            pieces.append(decision_piece(profile, "respond"))
            pieces.append(response_piece(vocabulary, said[chunk].text, said[chunk].emotion))
        else:
            pieces.append(decision_piece(profile, "stop" if chunk in stops else "silent"))
    return stream_of(profile, pieces)


def offline_ids(vocabulary: Vocabulary, system: str, n_audio: int, user: str) -> list[int]:
    """The released model's prompt for one finished clip and a typed question."""
    profile = vocabulary.profile
    control = profile.control
    return [
        *(control(n) for n in ("OFFLINE", "ENGLISH", "RESPOND", "RESPOND")),
        *vocabulary.encode(system),
        profile.end_id,
        control("AUDIO_BEGIN"),
        *[control("AUDIO_PAD")] * n_audio,
        control("AUDIO_END"),
        control("USER"),
        control("RESPOND"),
        *vocabulary.encode(user),
        profile.end_id,
        control("ASSISTANT"),
        control("RESPOND"),
    ]


def chat_ids(vocabulary: Vocabulary, system: str, user: str) -> list[int]:
    """The pretrained decoder's own chat format (ChatML of Qwen2.5), up to its turn."""
    control = vocabulary.profile.control
    begin, end = control("IM_START"), control("IM_END")
    ids: list[int] = []
    for turn in (f"system\n{system}", f"user\n{user}"):
        ids += [begin, *vocabulary.encode(turn), end, *vocabulary.encode("\n")]
    return [*ids, begin, *vocabulary.encode("assistant\n")]
