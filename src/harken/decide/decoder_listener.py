"""What every backend's listener does alike: rows in, decisions and responses out.

A backend adds how positions are run (`_run`), the head over text ids, and its caches.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harken.decide.adapters import Adapters
from harken.decide.checkpoint import Checkpoint
from harken.decide.embedding import EmbeddingTable
from harken.decide.listener import Audible, Judgement, State
from harken.errors import HarkenError
from harken.parts.convert.layout import Layout
from harken.stream import Prefix, Profile, Vocabulary
from harken.stream.profile import EMOTIONS
from harken.stream.writer import chunk_piece, decision_piece, prefix_piece

F32 = npt.NDArray[np.float32]


class DecoderListener(ABC):
    """Adapters, control rows and the embedding table of one checkpoint, around a decoder.

    Holds no session: safe to share between sessions in one thread.
    decoder: the converted part (`harken.parts.convert.converted("decoder")`).
    """

    def __init__(self, decoder: Path, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self._profile = checkpoint.profile
        self._vocabulary = Vocabulary.load(self._profile, decoder / "tokenizer.json")
        self._adapters = Adapters(checkpoint)
        self._table = EmbeddingTable(decoder)
        if self._table.hidden != self._profile.hidden:
            raise HarkenError(
                f"profile {self._profile.name} has {self._profile.hidden} numbers a position, the "
                f"decoder in {decoder} {self._table.hidden}; use the decoder of the profile"
            )
        own = {i: row for row, i in enumerate(self._profile.own_row_ids)}
        self._own = own
        self._control_in = checkpoint.tensors["controls.input"]
        control_out = checkpoint.tensors["controls.output"]
        self._decision_rows = control_out[[own[i] for i in self._profile.decision_ids]]
        self._end_row = control_out[own[self._profile.end_id]]
        self._emotion_rows = control_out[[own[i] for i in self._profile.emotion_ids]]

    @property
    def profile(self) -> Profile:
        return self._profile

    @property
    def vocabulary(self) -> Vocabulary:
        return self._vocabulary

    def start(self, prefix: Prefix) -> State:
        """A new session that has read its prefix."""
        ids, _ = prefix_piece(self._vocabulary, prefix)
        state = State(self._new_cache(), 0)
        _, state = self._run(state, self._embed_ids(ids))
        return state

    def hear(self, state: State, chunks: Sequence[Audible]) -> tuple[State, list[Judgement]]:
        """Hear chunks in one pass, each judged as if all before it in the pass were silent."""
        if not chunks:
            return state, []
        silent, _ = decision_piece(self._profile, "silent")
        audio = self._profile.audio_id
        pieces = [self._embed_ids(state.pending)]
        ends: list[int] = []
        length = len(state.pending)
        for n, chunk in enumerate(chunks):
            ids, _ = chunk_piece(self._vocabulary, chunk.percept.text, chunk.playing)
            rows = self._embed_ids(ids)
            rows[[i == audio for i in ids]] = self._adapters.embed(chunk.percept)
            if n:
                pieces.append(self._embed_ids(silent))
                length += len(silent)
            pieces.append(rows)
            length += len(ids)
            ends.append(length)
        base = state.length
        hidden, state = self._run(state, np.concatenate(pieces))
        probabilities = self.checkpoint.calibration.probabilities(
            hidden[[e - 1 for e in ends]] @ self._decision_rows.T
        )
        judged = [
            Judgement(
                c.percept.chunk,
                p,
                base + e,
                c.playing,
                c.told_to_stop,
                c.agrees,
                overheard=bool(c.percept.words) and not c.typed,
            )
            for c, p, e in zip(chunks, probabilities, ends, strict=True)
        ]
        return state, judged

    def decide(self, state: State, judgement: Judgement, decision: str) -> State:
        """Go back to a judged chunk and write its decision."""
        ids, _ = decision_piece(self._profile, decision)
        return State(state.cache, judgement.position, tuple(ids))

    def say(self, state: State) -> Iterator[tuple[int, State]]:
        """Ids of a response, greedily: one emotion, text, `END`."""
        chosen: int | None = None
        if self._profile.emotions:
            # The likely emotion is fed before it is known. If it is the one, the first text comes
            # a pass earlier; if not, a row and the logits were for nothing.
            likely = self._profile.emotion_ids[EMOTIONS.index("normal")]
            hidden, logits, ahead = self._run_to_text(state, (*state.pending, likely))
            chosen = self._profile.emotion_ids[int(np.argmax(self._emotion_rows @ hidden[-2]))]
            state = State(state.cache, ahead.length - 1, (chosen,))
            yield chosen, state
            if chosen == likely:
                chosen = self._text_or_end(hidden[-1], logits)
                state = State(ahead.cache, ahead.length, (chosen,))
                yield chosen, state
        while chosen != self._profile.end_id:
            hidden, logits, state = self._run_to_text(state, state.pending)
            chosen = self._text_or_end(hidden[-1], logits)
            state = State(state.cache, state.length, (chosen,))
            yield chosen, state

    @abstractmethod
    def fork(self, state: State) -> State:
        """The same place in a cache of its own."""

    @abstractmethod
    def _new_cache(self) -> Any:
        """An empty cache with room for `profile.context` positions."""

    @abstractmethod
    def _run_rows(self, cache: Any, length: int, rows: F32) -> F32:
        """Feed [n, hidden] behind `length` positions of a cache; final states [n, hidden]."""

    @abstractmethod
    def _text_logits(self, state: F32) -> F32:
        """Logits of the text ids, float32 [text_ids], of one final state [hidden]."""

    def _text_pass(self, cache: Any, length: int, rows: F32) -> tuple[F32, F32]:
        """As `_run_rows`, and the logits of the text ids behind the last row."""
        hidden = self._run_rows(cache, length, rows)
        return hidden, self._text_logits(hidden[-1])

    def _run_to_text(self, state: State, ids: Sequence[int]) -> tuple[F32, F32, State]:
        """Feed ids; final states [n, hidden], the text logits behind them, the state there."""
        rows = self._embed_ids(ids)
        behind = self._behind(state, rows)
        hidden, logits = self._text_pass(state.cache, state.length, rows)
        return hidden, logits, behind

    def _text_or_end(self, last: F32, logits: F32) -> int:
        """What a response goes on with, given its last final state."""
        best = int(np.argmax(logits))
        return self._profile.end_id if float(self._end_row @ last) > float(logits[best]) else best

    def _run(self, state: State, rows: F32) -> tuple[F32, State]:
        """Feed embeddings [n, hidden]; final states [n, hidden] and the state behind them."""
        behind = self._behind(state, rows)
        return self._run_rows(state.cache, state.length, rows), behind

    def _behind(self, state: State, rows: F32) -> State:
        """Where rows [n, hidden] lead; HarkenError when there is no room for them."""
        total, room = state.length + len(rows), self._profile.context
        if total > room:
            raise HarkenError(
                f"the session holds {state.length} of {room} positions and {len(rows)} more do "
                "not fit; start a new session or feed shorter backlogs"
            )
        return State(state.cache, total)

    def _embed_ids(self, ids: Sequence[int]) -> F32:
        """float32 [n, hidden] of text and control ids; audio placeholders are left at zero."""
        rows = np.zeros((len(ids), self._profile.hidden), np.float32)
        for n, i in enumerate(ids):
            if i in self._own:
                rows[n] = self._control_in[self._own[i]]
            else:
                rows[n] = self._table.rows([i])[0]
        return rows


def lora_of(checkpoint: Checkpoint) -> dict[str, F32]:
    """The checkpoint's share of the decoder; what it lacks is zero (no difference)."""
    wanted = Layout.of("decoder").from_checkpoint
    foreign = sorted(n for n in checkpoint.tensors if ".lora_" in n and n not in wanted)
    if foreign:
        raise HarkenError(
            f"tensor {foreign[0]} of the checkpoint belongs to no matrix of the decoder; export it "
            "again for this version"
        )
    tensors = {}
    for name, shape in wanted.items():
        trained = checkpoint.tensors.get(name, np.zeros(shape, np.float32))
        if trained.shape != shape:
            raise HarkenError(
                f"tensor {name} of the checkpoint is {list(trained.shape)}, the decoder takes "
                f"{list(shape)}; export it again for this version"
            )
        tensors[name] = np.ascontiguousarray(trained)
    return tensors
