"""Rows of a data folder made by hand, with features that tell which row they are of."""

import json
from pathlib import Path
from typing import Any

import numpy as np

CARE = {"policy": "care", "instruction": ""}


def row(name: str, chunks: int, *said: tuple[int, str, str], **more: Any) -> dict[str, Any]:
    """Each reply is due to the chunk it follows."""
    return {
        "id": f"{name}-0",
        "features": name,
        "task": "chat",
        "split": "dev",
        "n_chunks": chunks,
        "prefix": CARE,
        "words": [[c, f" {text}"] for c, text, _ in said],
        "said": [[c, text, "normal", cause] for c, text, cause in said],
        "sounds": [],
        "due": [[c * 6400, (c + 1) * 6400, "words", cause] for c, _, cause in said],
        "playing": [],
        "stops": [],
        "sources": [f"made:{name}"],
    } | more


def folder(path: Path, rows: list[dict[str, Any]]) -> Path:
    """A data folder; the features of row n are n everywhere."""
    (path / "features").mkdir()
    (path / "lines").mkdir()
    for n, r in enumerate(rows):
        sound = np.full((r["n_chunks"], 1545), n, np.float16)
        acoustic = np.full((r["n_chunks"], 2560), n, np.float16)
        np.savez(path / "features" / f"{r['features']}.npz", sound=sound, acoustic=acoustic)
        (path / "lines" / f"{r['id']}.json").write_text(json.dumps([r]), "utf-8")
    text = "".join(json.dumps(r) + "\n" for r in rows)
    (path / "streams.jsonl").write_text(text, "utf-8")
    return path
