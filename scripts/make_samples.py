"""Make the sample streams in samples/ from dev recordings of the corpora (`harken data fetch`).

Each is a sequence of whole, real recordings with free licences over a faint noise floor;
samples/README.md names their authors.
"""

from pathlib import Path

import numpy as np
import soundfile

from harken.soundflow.sources import clips, load
from harken.stream import SAMPLE_RATE

OUT = Path(__file__).parents[1] / "samples"
STREAMS: dict[str, list[tuple[float, str]]] = {
    # seconds of pause before each recording, then the end of its path
    "evening": [
        (2.0, "canal_lock/resource/door_open.wav"),
        (3.0, "Animal/Owl.wav"),
        (3.5, "LRFrogsInPondDuringStormLACut.ogg"),
        (3.5, "LRBuddhist_gong_05_LA.ogg"),
    ],
    "owl-counts": [
        (2.0, "Animal/Owl.wav"),
        (1.5, "Animal/Owl.wav"),
        (1.2, "canal_lock/resource/door_open.wav"),
        (1.5, "Animal/Owl.wav"),
        (1.8, "Animal/Owl.wav"),
        (1.4, "Animal/Owl.wav"),
    ],
}
PROMPTS = 5


def main() -> None:
    events = {c.path: c for c in clips(split="dev", kind="event")}
    for name, parts in STREAMS.items():
        found = [
            (pause, next(c for p, c in events.items() if str(p).endswith(end)))
            for pause, end in parts
        ]
        _write(name, [(pause, load(clip)) for pause, clip in found])
    spoken = [
        c
        for c in clips(split="dev", kind="speech", language="en")
        if c.package == "asterisk-core-sounds-en-g722" and 2.5 < c.seconds < 6
    ]
    _write("announcements", [(1.6, load(c)) for c in spoken[:PROMPTS]])
    for clip in spoken[:PROMPTS]:
        print(clip.text)


def _write(name: str, parts: list[tuple[float, np.ndarray]]) -> None:
    random = np.random.default_rng(0)
    pieces = []
    for pause, x in parts:
        pieces += [np.zeros(int(pause * SAMPLE_RATE), np.float32), 0.5 * x / np.abs(x).max()]
    y = np.concatenate([*pieces, np.zeros(2 * SAMPLE_RATE, np.float32)])
    y += random.normal(0, 3e-4, len(y)).astype(np.float32)
    soundfile.write(OUT / f"{name}.flac", y, SAMPLE_RATE)
    print(name, round(len(y) / SAMPLE_RATE, 1), "s")


if __name__ == "__main__":
    main()
