"""What is mixed under a stream: MUSAN, WHAM! noise and the noise of the DNS Challenge.

Lhotse's recipes for the first two stop at the first file with a broken header, and there is none
for the third, so the folders are walked here; the annotations of MUSAN are read by the recipe.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from harken.errors import HarkenError
from harken.soundflow.readers.record import Audio, Corpus, Kind, Recorded, Refused
from harken.soundflow.readers.tables import delimited

MUSAN = Corpus(
    name="musan",
    licence="CC-BY-4.0",
    attribution="MUSAN (D. Snyder, G. Chen, D. Povey)",
    homepage="https://www.openslr.org/17",
    layout="music, speech and noise, each with SOURCE/*.wav",
)
WHAM = Corpus(
    name="wham",
    licence="CC-BY-NC-4.0",
    attribution="WHAM! (G. Wichern et al., Whisper.ai and MERL)",
    homepage="http://wham.whisper.ai",
    layout="wham_noise/tr, cv and tt with *.wav, wham_noise/metadata/noise_meta_*.csv",
)
DNS = Corpus(
    name="dns",
    licence="",
    attribution="DNS Challenge (Microsoft)",
    homepage="https://github.com/microsoft/DNS-Challenge",
    layout="datasets/noise/*.wav or datasets_fullband/noise_fullband/*.wav",
)
_MUSAN_KINDS: dict[str, Kind] = {"music": "music", "speech": "speech", "noise": "noise"}
_WHAM_SPLITS = {"tr": "train", "cv": "dev", "tt": "test"}
_FREESOUND = re.compile(r"(?P<label>.+?)_Freesound(?:_validated)?_")
_YOUTUBE = re.compile(r"[\w-]{11}")


def read_musan(folder: Path, licence: str | None = None) -> Iterator[Recorded | Refused]:
    """MUSAN: one record a file; music is labelled with its genres, its artist is the speaker.

    The speech has no transcript: its `text` is None.

    Raises:
        HarkenError: the folders are not there.
    """
    from lhotse.recipes.musan import read_annotations

    root = folder / "musan" if (folder / "musan").is_dir() else folder
    if not any((root / part).is_dir() for part in _MUSAN_KINDS):
        raise HarkenError(f"{folder} holds no MUSAN: expected {MUSAN.layout}")
    genres: dict[str, tuple[tuple[str, ...], str]] = {}
    for path in sorted((root / "music").rglob("ANNOTATIONS")):
        for cells in read_annotations(path):
            if len(cells) >= 4:  # id, genres, vocals Y or N, artist
                genres[cells[0]] = (tuple(cells[1].split(",")), " ".join(cells[3:]))
    for part, kind in _MUSAN_KINDS.items():
        for path in sorted((root / part).rglob("*.wav")):
            labels, artist = genres.get(path.stem, ((), ""))
            by = f", {artist}" if artist else ""
            yield Recorded(
                id=f"{MUSAN.name}/{path.stem}",
                kind=kind,
                corpus=MUSAN.name,
                licence=licence or MUSAN.licence,
                attribution=f"{MUSAN.attribution}: {path.parent.name}{by}",
                audio=Audio(path),
                labels=labels,
                speaker=artist,
            )


def read_wham(folder: Path, licence: str | None = None) -> Iterator[Recorded | Refused]:
    """WHAM! noise: one record a file; the label names its location as the metadata number it.

    Raises:
        HarkenError: there is no split.
    """
    root = folder / "wham_noise" if (folder / "wham_noise").is_dir() else folder
    if not any((root / part).is_dir() for part in _WHAM_SPLITS):
        raise HarkenError(f"{folder} holds no WHAM! noise: expected {WHAM.layout}")
    for part, split in _WHAM_SPLITS.items():
        metadata = root / "metadata" / f"noise_meta_{part}.csv"
        place_of: dict[str, str] = {}
        if metadata.is_file():
            for row in delimited(metadata, ("utterance_id", "Location ID")):
                if not isinstance(row, Refused):
                    place_of[Path(row.fields["utterance_id"]).stem] = row.fields["Location ID"]
        for path in sorted((root / part).glob("*.wav")):
            place = place_of.get(path.stem, "")
            yield Recorded(
                id=f"{WHAM.name}/{part}/{path.stem}",
                kind="noise",
                corpus=WHAM.name,
                licence=licence or WHAM.licence,
                attribution=WHAM.attribution,
                audio=Audio(path),
                labels=(f"location {place}",) if place else (),
                split=split,
            )


def read_dns(folder: Path, licence: str | None = None) -> Iterator[Recorded | Refused]:
    """The noise of the DNS Challenge: one record a file.

    Its files come from three places, each with its licence, and the name tells which
    (https://github.com/microsoft/DNS-Challenge, section on licences): `LABEL_Freesound_…` is CC0,
    eleven characters are a video of AudioSet (CC-BY-4.0), the rest is DEMAND (CC-BY-SA-3.0).
    A given licence replaces all three.

    Raises:
        HarkenError: the folder of noise is not there.
    """
    names = ("datasets/noise", "datasets_fullband/noise_fullband", "noise", "noise_fullband", "")
    places = [folder / name for name in names]
    root = next((path for path in places if path.is_dir() and any(path.rglob("*.wav"))), None)
    if root is None:
        raise HarkenError(f"{folder} holds no DNS Challenge noise: expected {DNS.layout}")
    new = partial(Recorded, kind="noise", corpus=DNS.name)
    for path in sorted(root.rglob("*.wav")):
        freesound = _FREESOUND.match(path.stem)
        if freesound:
            source, stated = "Freesound", "CC0-1.0"
        elif _YOUTUBE.fullmatch(path.stem):
            source, stated = "AudioSet", "CC-BY-4.0"
        else:
            source, stated = "DEMAND", "CC-BY-SA-3.0"
        yield new(
            id=f"{DNS.name}/{path.relative_to(root).with_suffix('').as_posix()}",
            licence=licence or stated,
            attribution=f"{DNS.attribution}: {source}",
            audio=Audio(path),
            labels=(freesound["label"].replace("_", " "),) if freesound else (),
            split="",
        )
