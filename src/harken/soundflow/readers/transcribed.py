"""Speech with transcripts: LibriSpeech, AISHELL-1, GigaSpeech and VoxPopuli.

Lhotse has recipes for all four. They hold a whole corpus in memory, read every header before the
first record, drop a missing file with a line in the log and stop at the first broken one; that of
GigaSpeech needs one more package and that of VoxPopuli torch.hub and the network. So the layouts
are read here, and what of the recipes works on one entry is used: the alignments of LibriSpeech,
the segments of GigaSpeech, the letters of AISHELL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from harken.errors import HarkenError
from harken.soundflow.readers.record import Audio, Corpus, Reason, Recorded, Refused, Word
from harken.soundflow.readers.tables import Row, delimited, json_items

LIBRISPEECH = Corpus(
    name="librispeech",
    licence="CC-BY-4.0",
    attribution="LibriSpeech (V. Panayotov, G. Chen, D. Povey, S. Khudanpur), LibriVox readers",
    homepage="https://www.openslr.org/12",
    layout="PART/SPEAKER/CHAPTER/SPEAKER-CHAPTER.trans.txt beside the FLAC files",
)
AISHELL = Corpus(
    name="aishell",
    licence="Apache-2.0",
    attribution="AISHELL-1 (Beijing Shell Shell Technology)",
    homepage="https://www.openslr.org/33",
    layout="data_aishell/transcript/aishell_transcript_v0.8.txt, data_aishell/wav/SPLIT/SPEAKER",
)
GIGASPEECH = Corpus(
    name="gigaspeech",
    licence="Apache-2.0 (transcripts; the audio under the terms of its owners, for research)",
    attribution="GigaSpeech (SpeechColab)",
    homepage="https://github.com/SpeechColab/GigaSpeech",
    layout="GigaSpeech.json and audio/SOURCE/…/AID.opus",
)
VOXPOPULI = Corpus(
    name="voxpopuli",
    licence="CC0-1.0",
    attribution="VoxPopuli (C. Wang et al.), recordings of the European Parliament",
    homepage="https://github.com/facebookresearch/voxpopuli",
    layout="transcribed_data/LANG/asr_SPLIT.tsv, or asr_LANG.tsv.gz and raw_audios/original/YEAR",
)


def read_librispeech(folder: Path, licence: str | None = None) -> Iterator[Recorded | Refused]:
    """LibriSpeech and Mini LibriSpeech: one record an utterance, text in capitals as it is there.

    `folder` holds the parts (`train-clean-100`, …) or the folder `LibriSpeech` with them. Word
    alignments (`*.alignment.txt` beside the transcripts) become `words`.

    Raises:
        HarkenError: there is no transcript.
    """
    root = _inside(folder, "LibriSpeech")
    transcripts = sorted(root.glob("*/*/*/*.trans.txt"))
    if not transcripts:
        raise HarkenError(f"{folder} holds no LibriSpeech: expected {LIBRISPEECH.layout}")
    new = _speech(LIBRISPEECH, licence, "en")
    for path in transcripts:
        alignment = path.with_name(path.name.replace(".trans.txt", ".alignment.txt"))
        words: dict[str, tuple[Word, ...]] = {}
        if alignment.is_file():
            try:
                words = _librispeech_words(alignment)
            except ValueError as error:
                yield Refused(Reason.MALFORMED, alignment.name, str(error))
        for number, line in enumerate(
            path.read_text(encoding="utf-8", errors="replace").splitlines(), 1
        ):
            utterance, _, text = line.strip().partition(" ")
            if not utterance:
                continue
            if utterance.count("-") != 2:
                yield Refused(Reason.MALFORMED, f"{path.name}:{number}", line)
                continue
            yield new(
                id=f"{LIBRISPEECH.name}/{utterance}",
                audio=Audio(path.with_name(f"{utterance}.flac")),
                text=text,
                speaker=utterance.split("-")[0],
                split=path.relative_to(root).parts[0],
                words=words.get(utterance, ()),
            )


def read_aishell(folder: Path, licence: str | None = None) -> Iterator[Recorded | Refused]:
    """AISHELL-1: one record an utterance; the spaces between the words of the text are removed.

    Recordings and lines without a partner are refused as malformed; the published corpus has some.

    Raises:
        HarkenError: the transcript is missing.
    """
    from lhotse.recipes.aishell import text_normalize

    root = _inside(folder, "data_aishell")
    transcript = root / "transcript" / "aishell_transcript_v0.8.txt"
    if not transcript.is_file():
        raise HarkenError(f"{folder} holds no AISHELL-1: expected {AISHELL.layout}")
    texts: dict[str, str] = {}
    for line in transcript.read_text(encoding="utf-8", errors="replace").splitlines():
        utterance, _, text = line.partition(" ")
        if utterance:
            texts[utterance] = "".join(text_normalize(text).split())
    new = _speech(AISHELL, licence, "zh")
    for path in sorted((root / "wav").glob("*/*/*.wav")):
        spoken = texts.get(path.stem)
        if spoken is None:
            yield Refused(Reason.MALFORMED, path.name, "no transcript")
            continue
        yield new(
            id=f"{AISHELL.name}/{path.stem}",
            audio=Audio(path),
            text=spoken,
            speaker=path.parent.name,
            split=path.parent.parent.name,
        )


# https://github.com/SpeechColab/GigaSpeech, "Text Pre-Processing": words in capitals, these tags
# for punctuation, and one of the others alone where nothing is said.
_PUNCTUATION = {"<COMMA>": ",", "<PERIOD>": ".", "<QUESTIONMARK>": "?", "<EXCLAMATIONPOINT>": "!"}
_UNSPOKEN = {"<SIL>": "silence", "<NOISE>": "noise", "<MUSIC>": "music"}


def read_gigaspeech(folder: Path, licence: str | None = None) -> Iterator[Recorded | Refused]:
    """GigaSpeech: one record a segment of `GigaSpeech.json`, cut out of its long recording.

    Punctuation tags become marks. Segments of music, noise or silence alone become `music` and
    `noise`; those tagged `<OTHER>` (speech in another language) have no text and are refused.

    Raises:
        HarkenError: there is no `GigaSpeech.json`.
    """
    path = folder / "GigaSpeech.json"
    if not path.is_file():
        raise HarkenError(f"{folder} holds no GigaSpeech: expected {GIGASPEECH.layout}")
    for row in json_items(path, "audios.item"):
        if isinstance(row, Refused):
            yield row
        else:
            yield from _gigaspeech_segments(row, folder, licence or GIGASPEECH.licence)


def _gigaspeech_segments(row: Row, folder: Path, licence: str) -> Iterator[Recorded | Refused]:
    from lhotse.recipes.gigaspeech import parse_utterance

    try:
        recording, segments = parse_utterance(row.fields, folder)
        subsets = {seg["sid"]: seg.get("subsets", ()) for seg in row.fields["segments"]}
    except (KeyError, TypeError, ValueError) as error:
        yield Refused(Reason.MALFORMED, row.place, f"{type(error).__name__}: {error}")
        return
    title = str(row.fields.get("title") or row.fields["aid"])
    for segment in segments:
        text = segment.text or ""
        tags = [tag for tag in re.findall(r"<[A-Z]+>", text) if tag not in _PUNCTUATION]
        unspoken = _UNSPOKEN.get(text.strip())
        for tag, mark in _PUNCTUATION.items():
            text = text.replace(f" {tag}", mark).replace(tag, mark)
        for tag in tags:
            text = text.replace(tag, " ")
        yield Recorded(
            id=f"{GIGASPEECH.name}/{segment.id}",
            kind="speech" if not unspoken else "music" if unspoken == "music" else "noise",
            corpus=GIGASPEECH.name,
            licence=licence,
            attribution=f"{GIGASPEECH.attribution}: {title}",
            audio=Audio(
                Path(recording.sources[0].source),
                start_s=segment.start,
                duration_s=segment.duration,
            ),
            labels=(unspoken,) if unspoken else (),
            text=None if unspoken else " ".join(text.split()),
            language="" if unspoken else "en",
            speaker="" if segment.speaker in (None, "N/A") else segment.speaker,
            split=_gigaspeech_split(subsets.get(segment.id, ()), row.fields.get("subsets", ())),
        )


def _speech(corpus: Corpus, licence: str | None, language: str) -> partial[Recorded]:
    """A record of speech of a corpus, all but what is its own."""
    return partial(
        Recorded,
        kind="speech",
        corpus=corpus.name,
        licence=licence or corpus.licence,
        attribution=corpus.attribution,
        language=language,
    )


def _gigaspeech_split(of_segment: Any, of_recording: Any) -> str:
    named = {str(name).strip("{}") for name in of_segment or of_recording or ()}
    return "dev" if "DEV" in named else "test" if "TEST" in named else "train"


def read_voxpopuli(folder: Path, licence: str | None = None) -> Iterator[Recorded | Refused]:
    """VoxPopuli, the transcribed part: one record an utterance, in every language that is there.

    Reads what the corpus's own `get_asr_data` leaves (`transcribed_data/LANG/asr_SPLIT.tsv` with
    `YEAR/ID.ogg`). Where these are missing, `asr_LANG.tsv.gz` in the same place is read and the
    utterances are stretches of the sessions in `raw_audios/original`.

    Raises:
        HarkenError: there is neither.
    """
    root = _inside(folder, "transcribed_data")
    tables = sorted(root.glob("*/asr_*.tsv")) or sorted(root.glob("*/asr_*.tsv.gz"))
    if not tables:
        raise HarkenError(f"{folder} holds no VoxPopuli: expected {VOXPOPULI.layout}")
    sessions = root.parent / "raw_audios" / "original"
    for table in tables:
        new = _speech(VOXPOPULI, licence, table.parent.name.split("_")[0])  # en_accented
        if table.suffix == ".gz":
            for row in delimited(table, _VOXPOPULI_SESSION_COLUMNS, delimiter="|"):
                yield row if isinstance(row, Refused) else _voxpopuli_stretch(row, sessions, new)
        else:
            for row in delimited(table, _VOXPOPULI_COLUMNS, delimiter="\t", quoted=False):
                yield row if isinstance(row, Refused) else _voxpopuli_clip(row, table.parent, new)


_VOXPOPULI_COLUMNS = ("id", "raw_text", "normalized_text", "speaker_id", "split")
_VOXPOPULI_SESSION_COLUMNS = (
    "session_id",
    "id_",
    "original_text",
    "normed_text",
    "speaker_id",
    "split",
    "start_time",
    "end_time",
)


def _voxpopuli_clip(row: Row, folder: Path, new: partial[Recorded]) -> Recorded:
    fields = row.fields
    clip = fields["id"]
    return new(
        id=f"{VOXPOPULI.name}/{clip}",
        audio=Audio(folder / clip[:4] / f"{clip}.ogg"),
        text=fields["raw_text"] or fields["normalized_text"],
        speaker=fields["speaker_id"],
        split=fields["split"],
    )


def _voxpopuli_stretch(row: Row, sessions: Path, new: partial[Recorded]) -> Recorded | Refused:
    fields = row.fields
    session = fields["session_id"]
    try:
        start_s, end_s = float(fields["start_time"]), float(fields["end_time"])
    except ValueError as error:
        return Refused(Reason.MALFORMED, row.place, str(error))
    return new(
        id=f"{VOXPOPULI.name}/{session}-{fields['id_']}",
        audio=Audio(
            sessions / session[:4] / f"{session}_original.ogg",
            start_s=start_s,
            duration_s=round(end_s - start_s, 8),
        ),
        text=fields["original_text"] or fields["normed_text"],
        speaker=fields["speaker_id"],
        split=fields["split"],
    )


def _librispeech_words(path: Path) -> dict[str, tuple[Word, ...]]:
    from lhotse.recipes.librispeech import parse_alignments

    return {
        utterance: tuple(
            Word(item.symbol, item.start, item.end)
            for item in items
            if item.symbol  # "" = pause
        )
        for utterance, items in parse_alignments(path).items()
    }


def _inside(folder: Path, name: str) -> Path:
    """The folder of that name in `folder`, or `folder` itself: archives are unpacked both ways."""
    return folder / name if (folder / name).is_dir() else folder
