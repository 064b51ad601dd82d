"""Common Voice, and CoVoST 2, which translates it.

Lhotse's recipe for Common Voice starts processes, drops missing clips silently and keeps to 24
languages; it has none for CoVoST 2. The tables are read here.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from harken.errors import HarkenError
from harken.soundflow.readers.record import Audio, Corpus, Recorded, Refused
from harken.soundflow.readers.tables import delimited

COMMON_VOICE = Corpus(
    name="commonvoice",
    licence="CC0-1.0",
    attribution="Mozilla Common Voice contributors",
    homepage="https://commonvoice.mozilla.org/datasets",
    layout="LANG/train.tsv, dev.tsv, test.tsv and LANG/clips",
)
COVOST2 = Corpus(
    name="covost2",
    licence="CC0-1.0",
    attribution="CoVoST 2 (C. Wang, A. Wu, J. Pino), Mozilla Common Voice contributors",
    homepage="https://github.com/facebookresearch/covost",
    layout="SOURCE/covost_v2.SOURCE_TARGET.tsv beside Common Voice's validated.tsv and clips",
)
SPLITS = ("train", "dev", "test")


def read_common_voice(folder: Path, licence: str | None = None) -> Iterator[Recorded | Refused]:
    """Common Voice: one record a clip of the splits train, dev and test, in every language.

    `folder` is one language (`en`) or holds several (`cv-corpus-…/en`, …).

    Raises:
        HarkenError: there is no table of a split.
    """
    tables = _found(folder, [f"{split}.tsv" for split in SPLITS])
    if not tables:
        raise HarkenError(f"{folder} holds no Common Voice: expected {COMMON_VOICE.layout}")
    for table in tables:
        for row in delimited(
            table, ("client_id", "path", "sentence"), delimiter="\t", quoted=False
        ):
            if isinstance(row, Refused):
                yield row
                continue
            fields = row.fields
            language = fields.get("locale") or table.parent.name
            yield Recorded(
                id=f"{COMMON_VOICE.name}/{language}/{Path(fields['path']).stem}",
                kind="speech",
                corpus=COMMON_VOICE.name,
                licence=licence or COMMON_VOICE.licence,
                attribution=COMMON_VOICE.attribution,
                audio=Audio(table.parent / "clips" / _clip_name(fields["path"])),
                text=_unquoted(fields["sentence"]),
                language=language,
                speaker=fields["client_id"],
                split=table.stem,
            )


def read_covost2(folder: Path, licence: str | None = None) -> Iterator[Recorded | Refused]:
    """CoVoST 2: one record a clip and target language, with its translation.

    Reads `covost_v2.SOURCE_TARGET.tsv` as it is handed out (path, translation, split) and takes
    the sentence from `validated.tsv` of Common Voice 4 beside it; the tables a split each, which
    the corpus's own `get_covost_splits.py` writes, have it themselves and are read where the
    former is missing. Clips moved to train (`train_covost`) count as train.

    Raises:
        HarkenError: there is no table, or `validated.tsv` is missing.
    """
    tables = _found(folder, ["covost_v2.*_*.tsv"])
    whole = {path.name for path in tables if path.name.count(".") == 2}
    chosen = [
        path
        for path in tables
        if path.name in whole or f"{path.name.rsplit('.', 2)[0]}.tsv" not in whole
    ]
    if not chosen:
        raise HarkenError(f"{folder} holds no CoVoST 2: expected {COVOST2.layout}")
    for table in chosen:
        yield from _covost_rows(table, licence or COVOST2.licence, table.name in whole)


def _covost_rows(table: Path, licence: str, is_whole: bool) -> Iterator[Recorded | Refused]:
    source, _, target = table.name.split(".")[1].partition("_")
    spoken = _validated(table.with_name("validated.tsv")) if is_whole else {}
    needed = ("path", "translation", "split") if is_whole else ("path", "translation", "sentence")
    new = partial(
        Recorded,
        kind="speech",
        corpus=COVOST2.name,
        licence=licence,
        attribution=COVOST2.attribution,
        language=source,
        translation_language=target,
    )
    for row in delimited(table, needed, delimiter="\t", quoted=False, escape="\\"):
        if isinstance(row, Refused):
            yield row
            continue
        fields = row.fields
        in_table = (fields.get("sentence", ""), fields.get("client_id", ""))
        sentence, speaker = spoken.get(fields["path"], in_table)
        split = fields["split"].removesuffix("_covost") if is_whole else table.name.split(".")[2]
        if not fields["translation"].strip():
            sentence = ""  # a record of this corpus without a translation is of no use
        yield new(
            id=f"{COVOST2.name}/{source}_{target}/{Path(fields['path']).stem}",
            audio=Audio(table.parent / "clips" / _clip_name(fields["path"])),
            text=_unquoted(sentence),
            translation=_unquoted(fields["translation"]),
            speaker=speaker,
            split=split,
        )


def _validated(path: Path) -> dict[str, tuple[str, str]]:
    """Sentence and speaker by clip."""
    if not path.is_file():
        raise HarkenError(
            f"{path} is missing: CoVoST 2 takes its sentences from Common Voice 4, copy it there"
        )
    rows = delimited(path, ("client_id", "path", "sentence"), delimiter="\t", quoted=False)
    return {
        row.fields["path"]: (row.fields["sentence"], row.fields["client_id"])
        for row in rows
        if not isinstance(row, Refused)
    }


def _found(folder: Path, patterns: list[str]) -> list[Path]:
    """Tables in the folder itself, else one or two levels down."""
    for level in ("", "*/", "*/*/"):
        found = sorted({path for name in patterns for path in folder.glob(level + name)})
        if found:
            return found
    return []


def _clip_name(path: str) -> str:
    """Early releases leave the suffix out."""
    return path if Path(path).suffix else f"{path}.mp3"


def _unquoted(sentence: str) -> str:
    """The sentence without the quotes of a CSV writer around it and the doubled ones inside."""
    sentence = sentence.strip()
    if len(sentence) > 1 and sentence[0] == sentence[-1] == '"':
        sentence = sentence[1:-1].replace('""', '"').strip()
    return sentence
