"""How well, how soon and how cheaply the words ear hears: streaming against plain Whisper.

    python benchmarks/words.py                    dev recordings of the fetched corpora
    python benchmarks/words.py --list FILE.jsonl  your own: {"path", "text", "language"} a line;
                                                  an empty text means that nobody speaks

Every clip is heard in chunks with 0.6 s of faint noise before and 2 s behind it. WER (characters
for Chinese) stands beside that of the same weights decoding the whole clip padded to 30 s. The
delay of a word runs from its true end (alignment of the true text, of words heard rightly) to the
end of the chunk that committed it plus the time computing took. The real-time factor is processor
time over seconds of clip, silence around it included in the cost.
"""

from __future__ import annotations

import difflib
import json
import random
import sys
import time
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from harken.cli.app import run
from harken.parts import ensure
from harken.perceive.percept import HeardWord
from harken.perceive.recogniser import Recogniser
from harken.perceive.words import WordsEar
from harken.soundflow import sources
from harken.stream import CHUNK_SAMPLES, SAMPLE_RATE

Float32 = NDArray[np.float32]
BEFORE_S, BEHIND_S = 0.6, 2.0
WINDOW_SAMPLES = 30 * SAMPLE_RATE
UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
LANGUAGES = ("en", "zh", "fr", "it", "ru")


@dataclass(frozen=True)
class Sample:
    path: Path
    text: str
    language: str


@dataclass
class Tally:
    """Sums over the clips of one language."""

    clips: int = 0
    units: int = 0
    streaming_errors: int = 0
    offline_errors: int = 0
    clip_s: float = 0.0
    compute_s: float = 0.0
    delays_s: list[float] = field(default_factory=list)
    false_words: int = 0


def main(
    list_file: Annotated[
        Path | None, typer.Option("--list", help="JSON lines with path, text, language.")
    ] = None,
    per_language: Annotated[int, typer.Option(help="At most so many clips a language.")] = 40,
    threads: Annotated[int, typer.Option(help="Threads of Whisper.")] = 1,
) -> None:
    samples = _listed(list_file) if list_file else _corpora(per_language)
    silero_file = next(ensure("silero").glob("*.onnx"))
    ear = WordsEar(ensure("whisper"), silero_file, threads=threads)
    recogniser = Recogniser(ensure("whisper"), threads=threads)
    tallies: dict[str, Tally] = {}
    for seed, sample in enumerate(samples):
        tally = tallies.setdefault(sample.language if sample.text else "nobody", Tally())
        _measure(ear, recogniser, sample, tally, seed)
    _print(tallies)


def _listed(list_file: Path) -> list[Sample]:
    rows = [json.loads(line) for line in list_file.read_text(encoding="utf-8").splitlines()]
    return [
        Sample(list_file.parent / row["path"], row["text"], row.get("language", "")) for row in rows
    ]


def _corpora(per_language: int) -> list[Sample]:
    """Dev rows only: recordings, synthetic speech, and everything that is not speech."""
    recordings: list[sources.Clip | sources.SpokenClip] = [
        *sources.clips("dev", "speech"),
        *sources.speech_pack("dev"),
    ]
    spoken = [
        Sample(clip.path, clip.text, clip.language)
        for clip in recordings
        if clip.seconds < 12 and (len(clip.text.split()) >= 3 or clip.language == "zh")
    ]
    chosen: list[Sample] = []
    for language in LANGUAGES:
        of_language = [sample for sample in spoken if sample.language == language]
        random.Random(0).shuffle(of_language)
        chosen += of_language[:per_language]
    events = sources.clips("dev", "event")
    return chosen + [Sample(clip.path, "", "") for clip in events]


def _measure(
    ear: WordsEar, recogniser: Recogniser, sample: Sample, tally: Tally, seed: int
) -> None:
    clip = sources.load_path(sample.path)
    heard, compute_s = _stream(ear, clip, seed)
    tally.clips += 1
    tally.clip_s += len(clip) / SAMPLE_RATE
    tally.compute_s += compute_s
    if not sample.text:
        tally.false_words += len(heard)
        return
    whole = recogniser.encode(clip, tail_samples=max(0, WINDOW_SAMPLES - len(clip)))
    offline = recogniser.transcribe(whole, sample.language)
    truth = _units(sample.text, sample.language)
    tally.units += len(truth)
    streamed = "".join(word.text for word, _ in heard)
    tally.streaming_errors += _edits(truth, _units(streamed, sample.language))
    offline_text = "".join(word.text for word in offline.words)
    tally.offline_errors += _edits(truth, _units(offline_text, sample.language))
    tally.delays_s += _delays(recogniser, sample, clip, heard)


def _stream(ear: WordsEar, clip: Float32, seed: int) -> tuple[list[tuple[HeardWord, float]], float]:
    """Every word with the moment it was known, in seconds of stream; processor seconds."""
    rng = np.random.default_rng(seed)
    before, behind = (
        (3e-4 * rng.standard_normal(int(s * SAMPLE_RATE))).astype(np.float32)
        for s in (BEFORE_S, BEHIND_S)
    )
    stream = np.concatenate([before, clip, behind])
    stream = np.pad(stream, (0, -len(stream) % CHUNK_SAMPLES))
    state, heard, compute_s = ear.start(), [], 0.0
    for index, chunk in enumerate(stream.reshape(-1, CHUNK_SAMPLES)):
        started_s = time.process_time()
        state, now = ear.hear(state, chunk)
        took_s = time.process_time() - started_s
        compute_s += took_s
        known_s = (index + 1) * CHUNK_SAMPLES / SAMPLE_RATE + took_s
        heard += [(word, known_s) for word in now.words]
    heard += [(word, len(stream) / SAMPLE_RATE) for word in ear.finish(state).words]
    return heard, compute_s


def _delays(
    recogniser: Recogniser, sample: Sample, clip: Float32, heard: list[tuple[HeardWord, float]]
) -> list[float]:
    text = sample.text if sample.language == "zh" else f" {sample.text.strip()}"
    truth = recogniser.words_of(text, sample.language)
    aligned = recogniser.align(
        recogniser.encode(clip, tail_samples=8_000), sample.language, (), truth
    )
    true_keys = [word.key for word in truth]
    heard_keys = ["".join(c for c in w.text.casefold() if c.isalnum()) for w, _ in heard]
    matcher = difflib.SequenceMatcher(None, true_keys, heard_keys, autojunk=False)
    return [
        heard[block.b + i][1] - BEFORE_S - aligned.end_sample[block.a + i] / SAMPLE_RATE
        for block in matcher.get_matching_blocks()
        for i in range(block.size)
    ]


def _units(text: str, language: str) -> list[str]:
    """Words to compare, or characters for Chinese: no case, no punctuation, digits spelt out."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("'", "").replace("\u2019", "")
    spaced = "".join(c if c.isalnum() else " " for c in folded)
    if language == "zh":
        return list(spaced.replace(" ", ""))
    numbers = dict(zip(map(str, range(len(UNITS))), UNITS, strict=True)) if language == "en" else {}
    return [numbers.get(word, word) for word in spaced.split()]


def _edits(truth: list[str], heard: list[str]) -> int:
    """Levenshtein distance: substitutions, insertions and deletions, one each."""
    row = list(range(len(heard) + 1))
    for i, true_unit in enumerate(truth, 1):
        diagonal, row[0] = row[0], i
        for j, heard_unit in enumerate(heard, 1):
            substituted = diagonal + (true_unit != heard_unit)
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, substituted)
    return row[-1]


def _print(tallies: dict[str, Tally]) -> None:
    table = Table(
        "language", "clips", "words", "streaming", "30 s", "delay s", "p95", "x real time"
    )
    for language, tally in tallies.items():
        if not tally.units:
            continue
        median, p95 = _quantiles(tally.delays_s)
        table.add_row(
            language,
            str(tally.clips),
            str(tally.units),
            f"{100 * tally.streaming_errors / tally.units:.1f} %",
            f"{100 * tally.offline_errors / tally.units:.1f} %",
            median,
            p95,
            f"{tally.compute_s / tally.clip_s:.2f}",
        )
    console = Console()
    console.print(table)
    if nobody := tallies.get("nobody"):
        heard_s = nobody.clip_s + nobody.clips * (BEFORE_S + BEHIND_S)
        console.print(
            f"nobody speaks: {nobody.false_words} words in {nobody.clips} clips, "
            f"{3600 * nobody.false_words / nobody.clip_s:.0f} an hour of sounds, "
            f"{nobody.compute_s / heard_s:.3f} x real time"
        )


def _quantiles(values: Iterable[float]) -> tuple[str, str]:
    found = sorted(values)
    if not found:
        return "-", "-"
    return f"{np.median(found):.2f}", f"{np.quantile(found, 0.95):.2f}"


if __name__ == "__main__":
    sys.exit(run(partial(typer.run, main), "words"))
