"""A data folder without some kinds of sounds, to find out what is made of sounds never learnt."""

import json
from collections.abc import Collection
from pathlib import Path

from harken.errors import HarkenError
from harken.parts.cache import place
from harken.soundflow.events import EVENTS
from harken.soundflow.rows import LIST, rows
from harken.soundflow.writes import writes_below


def withhold(folder: Path, out: Path, kinds: Collection[str]) -> tuple[int, int]:
    """Write to `out` the list of `folder` without the training streams in which a sound of `kinds`
    is heard, recorded or imagined; its features stay where they are.

    Returns:
        How many training streams are left, and how many there were.

    Raises:
        HarkenError: an unknown kind, no data folder, nothing is left, or it cannot be written.
    """
    if unknown := sorted(set(kinds) - EVENTS.keys()):
        raise HarkenError(
            f"no kind of sound {unknown[0]!r}; choose from {', '.join(sorted(EVENTS))}"
        )
    if (out / LIST).exists():
        raise HarkenError(f"{out} holds streams already; name a new folder")
    kept = total = 0
    partial = out / f"{LIST}.partial"
    with writes_below(out):
        try:
            with partial.open("w", encoding="utf-8") as listed:
                for row in rows(folder):
                    is_train = row["split"] == "train"
                    total += is_train
                    if is_train and any(kind in kinds for *_, kind in row["sounds"]):
                        continue
                    kept += is_train
                    # An absolute name leads out of the folder's own features.
                    features = (folder / "features" / row["features"]).absolute()
                    pointed = {**row, "features": str(features)}
                    listed.write(json.dumps(pointed, ensure_ascii=False) + "\n")
            if not kept:
                raise HarkenError(f"without {', '.join(sorted(kinds))} nothing is left of {folder}")
            place(partial, out / LIST)
        finally:
            partial.unlink(missing_ok=True)
    return kept, total
