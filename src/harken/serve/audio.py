"""Audio as it goes over the wire: 16-bit PCM and the two laws of G.711, mono, in base64."""

import base64
import binascii
import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import soundfile

from harken.errors import HarkenError

Samples = npt.NDArray[np.float32]
Encoding = Literal["audio/pcm", "audio/pcmu", "audio/pcma"]

_FULL_SCALE = np.float32(32768)
_LAWS = {"audio/pcmu": "ULAW", "audio/pcma": "ALAW"}


@dataclass(frozen=True, slots=True)
class Format:
    """How samples are written, and how many there are in a second."""

    encoding: Encoding = "audio/pcm"
    rate: int = 24_000

    def decode(self, text: str) -> Samples:
        """base64 -> float32 [n] from -1 to 1; what is no such audio is a HarkenError."""
        try:
            data = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as broken:
            raise HarkenError(f"the audio is not base64 ({broken}); encode the raw bytes") from None
        if self.encoding == "audio/pcm":
            if len(data) % 2:
                raise HarkenError(
                    f"{len(data)} bytes of audio end in half a 16-bit sample; send whole samples"
                )
            return np.frombuffer(data, "<i2").astype(np.float32) / _FULL_SCALE
        samples: Samples = soundfile.read(
            io.BytesIO(data),
            dtype="float32",
            channels=1,
            samplerate=self.rate,
            format="RAW",
            subtype=_LAWS[self.encoding],
        )[0]
        return samples

    def encode(self, samples: Samples) -> str:
        """float32 [n] -> base64; what lies beyond -1 to 1 is clipped."""
        if self.encoding == "audio/pcm":
            scaled = np.clip(np.round(samples * _FULL_SCALE), -32768, 32767)
            data = scaled.astype("<i2").tobytes()
        else:
            raw = io.BytesIO()
            clipped = np.clip(samples, -1, 1)
            law = _LAWS[self.encoding]
            soundfile.write(raw, clipped, self.rate, format="RAW", subtype=law)
            data = raw.getvalue()
        return base64.b64encode(data).decode("ascii")
