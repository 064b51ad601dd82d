"""The human side of a stream: what was heard and what should be said, when.

Integer time only: samples for audio, chunk indices for decisions.
"""

from dataclasses import dataclass, replace

from harken.errors import HarkenError
from harken.stream.policy import Prefix
from harken.stream.profile import CHUNK_SAMPLES, EMOTIONS, Profile


def chunk_of_end(end_sample: int, chunk_samples: int = CHUNK_SAMPLES) -> int:
    """The chunk in which something that ends before `end_sample` ends: ceil(end / chunk) - 1."""
    if end_sample <= 0:
        raise HarkenError(f"nothing ends at sample {end_sample}; ends are exclusive and positive")
    return -(-end_sample // chunk_samples) - 1


@dataclass(frozen=True, slots=True)
class Heard:
    """Something audible from `start_sample` to `end_sample` (exclusive).

    `kind` is "words" for recognised speech, which enters the stream as text; any other kind
    ("speech", "sound", "music", …) is audio and leaves no text behind.
    """

    start_sample: int
    end_sample: int
    kind: str
    text: str = ""
    speaker: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.start_sample < self.end_sample:
            raise HarkenError(
                f"heard item {self.text[:40]!r} runs from {self.start_sample} to "
                f"{self.end_sample}; a start must be >= 0 and before its end"
            )


@dataclass(frozen=True, slots=True)
class Said:
    """A response due right after `chunk`. `cause` names what it answers, for people and evals."""

    chunk: int
    text: str
    emotion: str = "normal"
    cause: str = ""

    def __post_init__(self) -> None:
        if self.chunk < 0:
            raise HarkenError(f"a response cannot be due at chunk {self.chunk}")
        if self.emotion not in EMOTIONS:
            raise HarkenError(f"no emotion {self.emotion!r}; choose one of {', '.join(EMOTIONS)}")


@dataclass(frozen=True, slots=True)
class Timeline:
    """One session: its prefix, how many chunks, what was heard, said, playing and stopped."""

    prefix: Prefix
    n_chunks: int
    heard: tuple[Heard, ...] = ()
    said: tuple[Said, ...] = ()
    playing: tuple[int, ...] = ()
    stops: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        at = [s.chunk for s in self.said]
        if len(set(at)) != len(at):
            raise HarkenError(f"two responses are due at one chunk: {sorted(at)}")
        if set(at) & set(self.stops):
            raise HarkenError("one chunk cannot hold both a response and a stop")
        for chunk in (*at, *self.playing, *self.stops):
            if not 0 <= chunk < self.n_chunks:
                raise HarkenError(
                    f"chunk {chunk} lies outside a session of {self.n_chunks} chunks; move what "
                    "happens there or make the session longer"
                )

    def words_by_chunk(self, chunk_samples: int = CHUNK_SAMPLES) -> dict[int, str]:
        """The recognised words that enter the stream with each chunk, in the order of `heard`.

        Words that end behind the session's last chunk were never heard in it and are left out.
        """
        words: dict[int, str] = {}
        for h in self.heard:
            chunk = chunk_of_end(h.end_sample, chunk_samples)
            if h.kind == "words" and h.text and chunk < self.n_chunks:
                words[chunk] = words.get(chunk, "") + h.text
        return dict(sorted(words.items()))

    def canonical(self, profile: Profile) -> "Timeline":
        """What survives in a stream of `profile`: words on the chunk grid, no sounds, no causes.

        A profile without words, playback or emotions keeps none of them.
        """
        size = profile.chunk_samples
        words = self.words_by_chunk(size).items() if profile.words else ()
        said = [
            replace(s, cause="", emotion=s.emotion if profile.emotions else "normal")
            for s in self.said
        ]
        return replace(
            self,
            heard=tuple(Heard(c * size, (c + 1) * size, "words", text) for c, text in words),
            said=tuple(sorted(said, key=lambda s: s.chunk)),
            playing=tuple(sorted(set(self.playing))) if profile.hears_itself else (),
            stops=tuple(sorted(set(self.stops))),
        )
