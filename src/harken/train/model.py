"""What is trained: adapters of the ears, rows of the control ids, the decoder; how each begins.

The formulas are those of `harken.decide.adapters`, in torch; a test holds the two together.
Parameter names are the tensor names of a checkpoint, those of the decoder behind "decoder.".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from harken.decide.adapters import SCORE_FLOOR
from harken.decide.checkpoint import ACOUSTIC, SOUND_CLASSES, SOUND_EMBEDDING, Checkpoint
from harken.decide.embedding import EmbeddingTable
from harken.decide.torch_decoder import FrozenWeights, TorchDecoder
from harken.errors import HarkenError
from harken.parts.convert import converted
from harken.parts.convert.layout import Layout
from harken.parts.fetch import ensure
from harken.perceive.sound import class_names
from harken.stream import Profile, Vocabulary
from harken.train.adapt import learn_fully, recomputed
from harken.train.batch import Batch

ACOUSTIC_STATES = 5
"""States of the acoustic ear in one chunk; each is standardised alone."""

NAME_GAIN = 3.0
"""A class that is surely heard starts as three times the embedding of its name, in weight."""

TELLING_WORDS = {
    "HEARD": " heard:",
    "PLAYING": " playing:",
    "SILENT": " silent",
    "RESPOND": " reply",
    "STOP": " stop",
    "HAPPY": " happy",
    "SAD": " sad",
    "ANGRY": " angry",
    "SURPRISE": " surprise",
    "NORMAL": " normal",
    "URGENT": " urgent",
}
"""Input rows of controls begin as the mean embedding of these words."""


@dataclass(frozen=True, slots=True)
class BaseParts:
    """The frozen side of a model: the converted decoder, its layouts, and the sound classes."""

    folder: Path
    decoder: Layout
    head: Layout
    sound_names: tuple[str, ...]

    @classmethod
    def shipped(cls) -> "BaseParts":
        """The parts of the default profile; fetched and converted if they are not yet."""
        layouts = Layout.of("decoder"), Layout.of("head")
        return cls(converted("decoder"), *layouts, class_names(ensure("yamnet")))

    def vocabulary(self, profile: Profile) -> Vocabulary:
        """The decoder's tokenizer under the guard of `profile`."""
        return Vocabulary.load(profile, self.folder / "tokenizer.json")


class Controls(nn.Module):
    """Rows of the control ids, [c, hidden] each, in the order of `profile.own_rows`."""

    def __init__(self, profile: Profile, vocabulary: Vocabulary, table: EmbeddingTable) -> None:
        super().__init__()
        rows = torch.zeros(len(profile.own_rows), profile.hidden)
        output = torch.randn_like(rows) * 2e-3
        names = {name for name, _ in profile.controls}
        for i, name in enumerate(profile.own_rows):
            if name in TELLING_WORDS:
                ids = vocabulary.encode(TELLING_WORDS[name])
                rows[i] = torch.from_numpy(table.rows(ids)).mean(0)
            elif name == "END" and "IM_END" not in profile.own_rows and "IM_END" in names:
                # The decoder already knows how a turn ends.
                rows[i] = torch.from_numpy(table.rows([profile.control("IM_END")]))[0]
                output[i] = rows[i]
        self.input = nn.Parameter(rows)
        self.output = nn.Parameter(output)
        self.end = profile.own_rows.index("END")


class SoundAdapter(nn.Module):
    """Class scores and embedding of the sound ear [.., 1545] -> [.., hidden]."""

    def __init__(self, names: Sequence[str], vocabulary: Vocabulary, table: EmbeddingTable) -> None:
        super().__init__()
        rows = [table.rows(vocabulary.encode(" " + name.lower())).mean(0) for name in names]
        means = torch.stack([torch.from_numpy(row) for row in rows])
        self.scores = nn.Parameter(NAME_GAIN * means)
        self.embedding = nn.Parameter(torch.zeros(SOUND_EMBEDDING, table.hidden))
        self.bias = nn.Parameter(torch.zeros(table.hidden))

    def forward(self, sound: Tensor) -> Tensor:
        root = sound[..., :SOUND_CLASSES].sqrt()
        weights = root / (root.sum(-1, keepdim=True) + SCORE_FLOOR)
        place = _standardise(sound[..., SOUND_CLASSES:])
        return weights @ self.scores + place @ self.embedding + self.bias


class AcousticAdapter(nn.Module):
    """States of the acoustic ear [.., 2560] -> [.., hidden]."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(ACOUSTIC, hidden) * 1e-4)
        self.bias = nn.Parameter(torch.zeros(hidden))

    def forward(self, acoustic: Tensor) -> Tensor:
        states = _standardise(acoustic.reshape(*acoustic.shape[:-1], ACOUSTIC_STATES, -1)).flatten(
            -2
        )
        return states @ self.weight + self.bias


class StreamModel(nn.Module):
    """Decoder, head, adapters and control rows: a batch in, final states out."""

    head: Tensor

    def __init__(
        self,
        profile: Profile,
        parts: BaseParts,
        *,
        seed: int,
        dtype: torch.dtype = torch.bfloat16,
        full: bool = False,
        recompute: bool = False,
    ) -> None:
        """full: the decoder's matrices learn instead of LoRA; recompute: `adapt.recomputed`."""
        super().__init__()
        # The beginning is a function of the seed, whatever ran before in this process.
        torch.manual_seed(seed)
        vocabulary, table = parts.vocabulary(profile), EmbeddingTable(parts.folder)
        self.controls = Controls(profile, vocabulary, table)
        self.sound = SoundAdapter(parts.sound_names, vocabulary, table)
        self.acoustic = AcousticAdapter(profile.hidden)
        self.decoder = TorchDecoder(parts.folder, parts.decoder, torch.float32 if full else dtype)
        if full:
            learn_fully(self.decoder, dtype)
        self._recompute = recompute
        head = FrozenWeights(parts.folder, parts.head).matrix("head", dtype, profile.text_ids)
        self.register_buffer("head", head, persistent=False)

    def embed(self, batch: Batch) -> Tensor:
        """float32 [n, hidden]: text rows as they are, control rows and ears put in."""
        ears = torch.stack([self.sound(batch.sound), self.acoustic(batch.acoustic)], dim=1)
        embeds = batch.text_rows.index_put((batch.control_at,), self.controls.input[batch.control])
        return embeds.index_put((batch.audio_at,), ears.flatten(0, 1))

    def forward(self, batch: Batch) -> Tensor:
        """Final states [n, hidden] of all positions."""
        embeds = self.embed(batch)
        if self._recompute and torch.is_grad_enabled():
            return recomputed(self.decoder, embeds, batch.lengths)
        states: Tensor = self.decoder(embeds, batch.lengths)
        return states

    def operations_per_position(self) -> int:
        """Floating-point operations of the decoder's products for one position, forward and back.

        Two a weight forward, two back to the activations, and two more where the weight learns.
        """
        frozen = sum(b.numel() for n, b in self.decoder.named_buffers() if n.endswith(".weight"))
        learning = sum(p.numel() for p in self.decoder.parameters() if p.requires_grad)
        return 4 * frozen + 6 * learning

    def checkpoint_tensors(self) -> dict[str, Tensor]:
        """Trained tensors under the names of a checkpoint."""
        return {n.removeprefix("decoder."): p.detach() for n, p in self.named_parameters()}


def load_tensors(model: StreamModel, checkpoint: Checkpoint) -> None:
    """Put what a checkpoint has learnt into a model.

    Raises:
        HarkenError: it has a tensor that the model has no place for.
    """
    named = dict(model.named_parameters())
    with torch.no_grad():
        for name, array in checkpoint.tensors.items():
            place_of = named.get(name, named.get(f"decoder.{name}"))
            if place_of is None or place_of.shape != array.shape:
                raise HarkenError(f"tensor {name} of the checkpoint does not fit; export it again")
            place_of.copy_(torch.from_numpy(array))


def _standardise(x: Tensor) -> Tensor:
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
