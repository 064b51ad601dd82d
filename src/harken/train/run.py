"""A run's folder: its configuration, its newest and best state, and its log.

config.json    what the run is, and the data it learns from
state.pt       everything to continue exactly: trained tensors, optimiser, place, time spent
best.pt        trained tensors of the best score on dev so far
log.jsonl      one object a line: steps, dev scores
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from harken.decide.checkpoint import Checkpoint
from harken.errors import HarkenError
from harken.parts.cache import cache_dir, cache_writes, place
from harken.train.config import TrainConfig
from harken.train.order import Place

_ADAPTERS = ("controls.", "sound.", "acoustic.")

STATE_BYTES = 200_000_000
"""Room that a run's state and best tensors need, told when the disk is full."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: steps taken, training seconds spent, positions seen, place in the data."""

    step: int = 0
    seconds: float = 0.0
    positions: int = 0
    at: Place = field(default_factory=Place)
    best_dev_loss: float = float("inf")

    def fraction(self, config: TrainConfig) -> float:
        """The share of the run that is done, 0 to 1: by steps or by time, whichever is further."""
        by_steps = self.step / config.steps if config.steps else 0.0
        by_time = self.seconds / (60 * config.minutes) if config.minutes else 0.0
        return min(1.0, max(by_steps, by_time))


@dataclass(frozen=True, slots=True)
class Saved:
    """What `state.pt` holds; without an optimiser the next step begins with a fresh one."""

    progress: Progress
    tensors: dict[str, Tensor]
    optimiser: dict[str, Any] | None


def run_folder(name: str) -> Path:
    """Where the run of that name lives in the user's cache."""
    if not name or not all(c.isalnum() or c in "-_." for c in name) or name.startswith("."):
        raise HarkenError(f"{name!r} cannot name a run; use letters, digits, - and _")
    return cache_dir() / "runs" / name


class Run:
    """One run's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def exists(self) -> bool:
        """Whether a run was begun here."""
        return (self.folder / "config.json").exists()

    def begin(
        self, config: TrainConfig, data: Path, start: "Run | Checkpoint | None" = None
    ) -> None:
        """Make the folder of a new run, which begins with what `start` has learnt: the newest
        tensors of a run, or a checkpoint's."""
        if self.exists:
            raise HarkenError(
                f"a run already lives in {self.folder}; resume it with `harken train resume "
                f"{self.folder.name}`, or give another --name"
            )
        learnt = _learnt_by(start) if start else None
        if config.anchor:  # it may be resumed from another folder
            config = replace(config, anchor=str(Path(config.anchor).absolute()))
        with cache_writes(self.folder, STATE_BYTES):
            self.folder.mkdir(parents=True, exist_ok=True)
            stored = {"data": str(data.absolute()), "config": json.loads(config.to_json())}
            if start and learnt:
                stored["start"] = _story_of(start)
                self.save(Saved(Progress(), learnt, None))
            self._write("config.json", json.dumps(stored, indent=1).encode())

    def describe(self) -> tuple[TrainConfig, Path]:
        """The configuration and the data folder of this run."""
        try:
            stored = self._stored()
            config, data = json.dumps(stored["config"]), Path(stored["data"])
        except (OSError, ValueError, KeyError, TypeError) as missing:
            raise HarkenError(
                f"no run at {self.folder} ({missing}); start one with `harken train run`"
            ) from missing
        return TrainConfig.from_json(config, str(self.folder / "config.json")), data

    def start(self) -> Any:
        """Facts of what this run began with; None for one that began from the pretrained parts."""
        return self._stored().get("start")

    def _stored(self) -> dict[str, Any]:
        stored: dict[str, Any] = json.loads(
            (self.folder / "config.json").read_text(encoding="utf-8")
        )
        return stored

    def save(self, saved: Saved) -> None:
        """Replace `state.pt`; a reader or a kill finds the old one or the new one, whole."""
        state = {
            "progress": asdict(saved.progress),
            "tensors": saved.tensors,
            "optimiser": saved.optimiser,
        }
        self._write_torch("state.pt", state)

    def save_best(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Replace `best.pt`."""
        self._write_torch("best.pt", {"tensors": dict(tensors), "facts": dict(facts)})

    def load(self) -> Saved | None:
        """The newest state; None before the first was saved."""
        raw = self._read_torch("state.pt")
        if raw is None:
            return None
        stored = dict(raw["progress"])
        progress = replace(Progress(**stored), at=Place(**stored["at"]))
        return Saved(progress, raw["tensors"], raw["optimiser"])

    def load_best(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Tensors and facts of the best state on dev; None before the first dev score."""
        raw = self._read_torch("best.pt")
        return None if raw is None else (raw["tensors"], raw["facts"])

    def log(self, entry: Mapping[str, Any]) -> None:
        """Append one line to the log."""
        with (
            cache_writes(self.folder, STATE_BYTES),
            (self.folder / "log.jsonl").open("a", encoding="utf-8") as f,
        ):
            f.write(json.dumps(entry) + "\n")

    def rewind_log(self, step: int) -> None:
        """Drop what was logged after the saved step: it will be logged again."""
        path = self.folder / "log.jsonl"
        if not path.exists():
            return
        kept = []
        for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
            try:
                if line.endswith("\n") and json.loads(line)["step"] <= step:
                    kept.append(line)
            except (ValueError, KeyError):  # a line the kill cut in the middle
                continue
        self._write("log.jsonl", "".join(kept).encode())

    def _write(self, name: str, content: bytes) -> None:
        partial = self.folder / f".{name}.partial"
        with cache_writes(self.folder, STATE_BYTES):
            partial.write_bytes(content)
            place(partial, self.folder / name)

    def _write_torch(self, name: str, content: dict[str, Any]) -> None:
        partial = self.folder / f".{name}.partial"
        with cache_writes(self.folder, STATE_BYTES):
            try:
                torch.save(content, partial)
            except RuntimeError as failed:  # torch's own writer hides the system's reason
                raise OSError(str(failed)) from failed
            place(partial, self.folder / name)

    def _read_torch(self, name: str) -> dict[str, Any] | None:
        path = self.folder / name
        if not path.exists():
            return None
        try:
            raw: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as broken:
            first = (str(broken).splitlines() or [repr(broken)])[0][:160]
            raise HarkenError(
                f"{path} cannot be read ({first}); delete it to start the run over"
            ) from broken
        return raw


def _learnt_by(start: Run | Checkpoint) -> dict[str, Tensor]:
    """Tensors under the names of the model's parameters."""
    if isinstance(start, Checkpoint):
        return {
            name if name.startswith(_ADAPTERS) else f"decoder.{name}": torch.from_numpy(array)
            for name, array in start.tensors.items()
        }
    saved = start.load()
    if saved is None:
        raise HarkenError(f"{start.folder} holds no state to begin with; train that run first")
    return saved.tensors


def _story_of(start: Run | Checkpoint) -> Any:
    """What is kept of where a run began, for the facts of its own checkpoints."""
    return start.facts if isinstance(start, Checkpoint) else {"run": start.folder.name}
