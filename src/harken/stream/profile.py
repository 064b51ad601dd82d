"""Profiles: the fixed numbers of one model family.

A profile is written into every checkpoint and every shard; two things that disagree in one field
are refused by the name of that field (`harken.stream.fingerprint`).
"""

from dataclasses import dataclass
from typing import Literal

from harken.errors import HarkenError

SAMPLE_RATE = 16_000
"""Samples per second of everything the ears see."""

CHUNK_SAMPLES = 6_400
"""Samples in one chunk: 0.4 s, the time between two decisions."""

EMOTIONS = ("happy", "sad", "angry", "surprise", "normal", "urgent")

Backlog = Literal["per-chunk", "drain"]


@dataclass(frozen=True, slots=True)
class Profile:
    """The numbers that the stream, the ears and the listener of one model family share.

    `controls` names every control id. `open`, `close`, `prefix_open`, `prefix_close` and
    `decisions` hold names of controls. `own_rows` names the controls whose embedding a
    checkpoint brings itself; the others use rows of the pretrained table. Ids from 0 to
    `text_ids` - 1 are ordinary text.
    """

    name: str
    audio_positions: int
    controls: tuple[tuple[str, int], ...]
    own_rows: tuple[str, ...]
    open: tuple[str, ...]
    close: tuple[str, ...]
    prefix_open: tuple[str, ...]
    prefix_head: str
    prefix_close: tuple[str, ...]
    decisions: tuple[str, ...]
    words: bool
    emotions: bool
    text_ids: int
    hidden: int
    context: int
    backlog: Backlog
    ears: tuple[str, ...]
    tokenizer: str
    sample_rate: int = SAMPLE_RATE
    chunk_samples: int = CHUNK_SAMPLES

    def __post_init__(self) -> None:
        names = {n for n, _ in self.controls}
        if len(names) != len(self.controls) or len(self.control_ids) != len(self.controls):
            raise HarkenError(
                f"profile {self.name}: field controls repeats a name or an id; give each control "
                "one of its own"
            )
        used = {
            "controls": ("AUDIO", "END", *(_emotion_names() if self.emotions else ())),
            "open": self.open,
            "close": self.close,
            "prefix_open": self.prefix_open,
            "prefix_close": self.prefix_close,
            "decisions": tuple(d.upper() for d in self.decisions),
            "own_rows": self.own_rows,
        }
        for field, wanted in used.items():
            missing = [n for n in wanted if n not in names]
            if missing:
                raise HarkenError(
                    f"profile {self.name}: field {field} names the unknown control {missing[0]}; "
                    "add it to controls"
                )
        if self.decisions[:2] != ("silent", "respond"):
            # Judgements read p(respond) at index 1.
            raise HarkenError(
                f"profile {self.name}: field decisions is {self.decisions}; it must begin with "
                "silent, respond"
            )
        if self.audio_positions < 1 or self.context < 8 * (self.audio_positions + 2):
            raise HarkenError(
                f"profile {self.name}: context {self.context} is too small for "
                f"{self.audio_positions} audio positions a chunk"
            )

    def control(self, name: str) -> int:
        """The id of a control by its name, for example `SILENT`."""
        for known, i in self.controls:
            if known == name:
                return i
        raise HarkenError(f"profile {self.name} has no control {name}")

    @property
    def control_ids(self) -> frozenset[int]:
        """Every control id of the profile."""
        return frozenset(i for _, i in self.controls)

    @property
    def hears_itself(self) -> bool:
        """Whether chunks captured while our own voice was audible are marked with `PLAYING`."""
        return "stop" in self.decisions

    # What readers of a stream and owners of weights look up, so that nobody else needs `control`.

    @property
    def decision_ids(self) -> tuple[int, ...]:
        """Ids of the decisions, in the order of `decisions`."""
        return tuple(self.control(d.upper()) for d in self.decisions)

    @property
    def respond_id(self) -> int:
        """The decision that opens a response."""
        return self.control("RESPOND")

    @property
    def emotion_ids(self) -> tuple[int, ...]:
        """Ids of the emotions, in the order of `EMOTIONS`; empty for a profile without them."""
        return tuple(self.control(n) for n in _emotion_names()) if self.emotions else ()

    @property
    def audio_id(self) -> int:
        """The placeholder of a position whose embedding the ears supply."""
        return self.control("AUDIO")

    @property
    def end_id(self) -> int:
        """The id that ends a response."""
        return self.control("END")

    @property
    def own_row_ids(self) -> tuple[int, ...]:
        """Ids of the controls whose embedding a checkpoint brings, in the order of `own_rows`."""
        return tuple(self.control(n) for n in self.own_rows)


def _emotion_names() -> tuple[str, ...]:
    return tuple(e.upper() for e in EMOTIONS)


def _numbered(first: int, names: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
    return tuple((name, first + i) for i, name in enumerate(names))


_OWN = (
    "AUDIO",
    "HEARD",
    "PLAYING",
    "SILENT",
    "RESPOND",
    "STOP",
    "END",
    *_emotion_names(),
)

# Qwen2.5 BPE: 151,643 text ids, specials 151,643 to 151,664; ours follow the specials.
MINI = Profile(
    name="mini",
    audio_positions=2,
    controls=(("IM_START", 151_644), ("IM_END", 151_645), *_numbered(151_665, _OWN)),
    own_rows=_OWN,
    open=(),
    close=(),
    prefix_open=("IM_START",),
    prefix_head="system\n",
    prefix_close=("IM_END",),
    decisions=("silent", "respond", "stop"),
    words=True,
    emotions=True,
    text_ids=151_643,
    hidden=896,
    context=2_048,
    backlog="per-chunk",
    ears=("sound", "acoustic", "words"),
    tokenizer="qwen2.5",
)

# Facts of the published release: these ids lie inside the ordinary range of the Qwen BPE, so the
# vocabulary's guard has to keep them out of encoded text.
RELEASED_3B = Profile(
    name="released-3b",
    audio_positions=10,
    controls=(
        ("USER", 151_601),
        ("ASSISTANT", 151_602),
        ("SILENT", 151_605),
        ("AUDIO", 151_608),
        ("ONLINE", 151_609),
        ("OFFLINE", 151_610),
        ("ENGLISH", 151_611),
        *_numbered(151_614, _emotion_names()),
        ("END", 151_643),
        ("RESPOND", 151_644),
        ("AUDIO_PAD", 151_646),
        ("AUDIO_BEGIN", 151_647),
        ("AUDIO_END", 151_648),
    ),
    own_rows=(),
    open=("AUDIO_BEGIN",),
    close=("ASSISTANT",),
    # SYSTEM, TEXT_BEGIN and RESPOND are one id in the release.
    prefix_open=("ONLINE", "ENGLISH", "RESPOND", "RESPOND"),
    prefix_head="",
    prefix_close=("END",),
    decisions=("silent", "respond"),
    words=False,
    emotions=True,
    text_ids=151_643,
    hidden=2_048,
    context=4_096,
    backlog="drain",
    ears=("acoustic",),
    tokenizer="qwen2.5",
)

# 256 byte ids and no merges: small enough to reason about by hand in tests.
TINY = Profile(
    name="tiny",
    audio_positions=2,
    controls=_numbered(256, (*_OWN, "IM_START", "IM_END")),
    own_rows=(*_OWN, "IM_START", "IM_END"),
    open=(),
    close=(),
    prefix_open=("IM_START",),
    prefix_head="",
    prefix_close=("IM_END",),
    decisions=("silent", "respond", "stop"),
    words=True,
    emotions=True,
    text_ids=256,
    hidden=32,
    context=256,
    backlog="per-chunk",
    ears=("sound", "acoustic", "words"),
    tokenizer="bytes",
)

_PROFILES = {p.name: p for p in (MINI, RELEASED_3B, TINY)}


def profile_named(name: str) -> Profile:
    """The profile of that name; an unknown name is a `HarkenError` that lists the known ones."""
    try:
        return _PROFILES[name]
    except KeyError:
        raise HarkenError(f"no profile {name!r}; choose one of {', '.join(_PROFILES)}") from None
