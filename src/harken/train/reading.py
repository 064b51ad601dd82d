"""The documents of every step and of the dev score, written and not yet heard."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harken.errors import HarkenError
from harken.stream import Vocabulary
from harken.train.config import TrainConfig
from harken.train.evaluate import dev_sample
from harken.train.examples import Record, Written, read_records, written
from harken.train.order import Place, epoch_order, loses_words, take


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch of a run: its streams, in the order in which they are learnt from."""

    number: int
    records: tuple[Record, ...]
    order: tuple[int, ...]
    config: TrainConfig
    vocabulary: Vocabulary

    @classmethod
    def read(cls, data: Path, config: TrainConfig, vocabulary: Vocabulary, at: Place) -> "Epoch":
        """The epoch of the data folder in which a run stands."""
        records = train_records(data, at.size_bytes)
        order = epoch_order(
            records, config.task_weights, config.seed, at.epoch, config.other_weight
        )
        return cls(at.epoch, records, tuple(order), config, vocabulary)

    def __len__(self) -> int:
        return len(self.order)

    def step(self, cursor: int) -> tuple[list[Written], int]:
        """The documents of the step that begins at the draw `cursor`, and the cursor behind them.

        Raises:
            HarkenError: a stream is longer than the profile takes.
        """
        return take(self.order, cursor, self.config.positions, self._write)

    def _write(self, i: int, cursor: int) -> Written:
        record, config = self.records[i], self.config
        without_words = not record.asks_aloud and loses_words(
            config.seed, self.number, cursor, config.drop_words
        )
        document = written(record, self.vocabulary, without_words=without_words)
        limit = document.stream.profile.context
        if len(document) > limit:
            raise HarkenError(
                f"stream {record.id} has {len(document)} positions, profile "
                f"{config.profile} takes {limit}; compose shorter streams"
            )
        return document


def train_records(data: Path, size_bytes: int | None = None) -> tuple[Record, ...]:
    """The streams to learn from in a data folder, or in the first `size_bytes` of its list.

    Raises:
        HarkenError: there is none, or the folder is none.
    """
    records = read_records(data, size_bytes).of("train")
    if not records:
        raise HarkenError(f"{data} holds no stream of the split train; compose some first")
    return records


def dev_parts(
    records: Sequence[Record], config: TrainConfig, vocabulary: Vocabulary
) -> Iterator[list[Written]]:
    """The dev streams that are scored, as many at a time as fill a step."""
    sample, cursor = dev_sample(records, config.dev_streams), 0
    while cursor < len(sample):
        documents, cursor = take(
            sample, cursor, config.positions, lambda i, _: written(records[i], vocabulary)
        )
        yield documents
