"""Which corpora can be read, and the function that reads each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harken.soundflow.readers.answers import (
    BELLE,
    COIG_CQIA,
    DUQA,
    WEBQA,
    read_belle,
    read_coig_cqia,
    read_duqa,
    read_webqa,
)
from harken.soundflow.readers.common_voice import (
    COMMON_VOICE,
    COVOST2,
    read_common_voice,
    read_covost2,
)
from harken.soundflow.readers.described import (
    FOLDER,
    HUGGING_FACE,
    read_folder,
    read_hugging_face,
)
from harken.soundflow.readers.dialogues import (
    GAMMACORPUS,
    MAGPIE_PRO,
    MOSS,
    ULTRACHAT,
    read_gammacorpus,
    read_magpie_pro,
    read_moss,
    read_ultrachat,
)
from harken.soundflow.readers.lhotse_manifests import LHOTSE, SHAR, read_lhotse, read_shar
from harken.soundflow.readers.noises import DNS, MUSAN, WHAM, read_dns, read_musan, read_wham
from harken.soundflow.readers.record import Corpus, Recorded, Refused
from harken.soundflow.readers.tagged import (
    AUDIOSET,
    ESC50,
    FMA,
    FSD50K,
    read_audioset,
    read_esc50,
    read_fma,
    read_fsd50k,
)
from harken.soundflow.readers.transcribed import (
    AISHELL,
    GIGASPEECH,
    LIBRISPEECH,
    VOXPOPULI,
    read_aishell,
    read_gigaspeech,
    read_librispeech,
    read_voxpopuli,
)

Read = Callable[[Path, str | None], Iterator[Recorded | Refused]]


@dataclass(frozen=True)
class Reader:
    """A corpus and the function that reads its folder.

    `read(folder, licence)` yields a record an entry in a fixed order, and `Refused` for an entry
    that cannot become one. It reads tables and lists folders; the audio is looked at later. A given
    `licence` stands in for the corpus's own, but for entries that state one themselves.
    """

    corpus: Corpus
    read: Read

    @property
    def licence(self) -> str:
        """Licence of the entries that state none; empty where the corpus states none."""
        return self.corpus.licence

    @property
    def homepage(self) -> str:
        """Where the corpus is described and handed out."""
        return self.corpus.homepage


READERS: dict[str, Reader] = {
    reader.corpus.name: reader
    for reader in (
        Reader(LHOTSE, read_lhotse),
        Reader(SHAR, read_shar),
        Reader(HUGGING_FACE, read_hugging_face),
        Reader(FOLDER, read_folder),
        Reader(LIBRISPEECH, read_librispeech),
        Reader(COMMON_VOICE, read_common_voice),
        Reader(GIGASPEECH, read_gigaspeech),
        Reader(VOXPOPULI, read_voxpopuli),
        Reader(COVOST2, read_covost2),
        Reader(AISHELL, read_aishell),
        Reader(AUDIOSET, read_audioset),
        Reader(FMA, read_fma),
        Reader(ESC50, read_esc50),
        Reader(FSD50K, read_fsd50k),
        Reader(MUSAN, read_musan),
        Reader(WHAM, read_wham),
        Reader(DNS, read_dns),
        Reader(MOSS, read_moss),
        Reader(GAMMACORPUS, read_gammacorpus),
        Reader(ULTRACHAT, read_ultrachat),
        Reader(MAGPIE_PRO, read_magpie_pro),
        Reader(COIG_CQIA, read_coig_cqia),
        Reader(BELLE, read_belle),
        Reader(DUQA, read_duqa),
        Reader(WEBQA, read_webqa),
    )
}
"""The readers by the name of their corpus."""
