"""Keeping what was heard, for those who ask for it: one FLAC a session."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from harken.errors import HarkenError
from harken.stream import SAMPLE_RATE


class Recorder:
    """Writes the audio of one session as the ears get it; readable by its owner only."""

    def __init__(self, folder: Path, session_id: str) -> None:
        """Raises HarkenError when the folder cannot be written to."""
        path = folder / f"{session_id}.flac"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            self._file = soundfile.SoundFile(path, "w", SAMPLE_RATE, 1, subtype="PCM_16")
        except (OSError, soundfile.SoundFileError) as broken:
            raise HarkenError(f"{path} cannot be written ({broken}); choose --record") from broken

    def write(self, samples: npt.NDArray[np.float32]) -> None:
        """The next samples, float32 [n] at 16 kHz."""
        self._file.write(samples)

    def close(self) -> None:
        """Complete the file."""
        self._file.close()
