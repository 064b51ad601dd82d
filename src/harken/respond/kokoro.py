"""Kokoro-82M: the model behind our voice and behind the synthetic speech of training data.

English goes through espeak-ng inside kokoro-onnx; Chinese through misaki, because the Mandarin
of espeak-ng is not intelligible. Needs the extra `voice` and the parts `kokoro`, `kokoro-voices`.
"""

import os
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr

from harken.errors import HarkenError
from harken.parts.cache import cache_dir, cache_writes
from harken.parts.convert.layout import graph_file
from harken.parts.fetch import ensure
from harken.parts.kokoro_voices import VOICE_SHA256
from harken.respond.sentences import language_of, pause_s
from harken.respond.voice import Samples, Speech, Utterance, checked_emotion, has_words

ACCENTS = {"a": "en-us", "b": "en-gb"}
"""What espeak-ng calls the English of a voice, by the first letter of the voice's name."""

_NEEDED_BYTES = 50_000_000


@dataclass(frozen=True, slots=True)
class Manner:
    """How an emotion is said: speed and pitch against the voice's own, and a share of another
    voice's style.

    The model knows no emotions; a share of a voice that was recorded brighter or softer does. The
    pitch, in semitones, is raised by playing faster what was made slower.
    """

    speed: float = 1.0
    semitones: float = 0.0
    english: tuple[str, float] | None = None
    chinese: tuple[str, float] | None = None


MANNERS = {
    "normal": Manner(),
    "happy": Manner(1.12, 1.5, ("af_bella", 0.4), ("zf_xiaoyi", 0.4)),
    "sad": Manner(0.86, -1.0, ("af_nicole", 0.3)),
    "angry": Manner(1.12, -1.0, ("af_kore", 0.4)),
    "surprise": Manner(1.08, 2.5, ("af_bella", 0.6), ("zf_xiaoyi", 0.6)),
    "urgent": Manner(1.3, 1.0, ("af_sarah", 0.4), ("zf_xiaoyi", 0.3)),
}


class KokoroVoice:
    """The default voice, in English and Chinese.

    A piece is one pass of the model, so its sound comes at once; what is cut short between two
    pieces costs nothing, and a pass that runs is not stopped.
    """

    def __init__(
        self, english: str = "af_heart", chinese: str = "zf_xiaobei", threads: int = 2
    ) -> None:
        """Load model and voices; raises HarkenError where a part or the extra is missing."""
        self.name = "kokoro"
        self._voices = {"en": _known(english, "ab"), "zh": _known(chinese, "z")}
        self._model = kokoro_model(threads)
        _chinese_phonemes()  # its dictionaries take seconds, which a first reply would wait for

    def speak(self, text: str, emotion: str = "normal", language: str | None = None) -> Utterance:
        """See `Voice.speak`."""
        manner = MANNERS[checked_emotion(emotion)]
        language = language or language_of(text)
        if language not in self._voices:
            raise HarkenError(f"the voice kokoro does not speak {language!r}; choose en or zh")
        if not has_words(text):
            return
        voice = self._voices[language]
        style = self._style(voice, manner.english if language == "en" else manner.chinese)
        faster = 2 ** (manner.semitones / 12)
        samples, rate = synthesise(
            self._model, text, language, style, manner.speed / faster, ACCENTS.get(voice[0], "")
        )
        if manner.semitones:
            samples = np.asarray(soxr.resample(samples, rate * faster, rate), np.float32)
        pause = np.zeros(round(pause_s(text) * rate), np.float32)
        yield Speech(np.concatenate([np.clip(samples, -1, 1), pause]), rate)

    def _style(self, voice: str, blend: tuple[str, float] | None) -> npt.NDArray[np.float32]:
        styles = self._model.voices
        other, share = blend or (voice, 0.0)
        return np.asarray((1 - share) * styles[voice] + share * styles[other], np.float32)


def synthesise(
    model: Any,
    text: str,
    language: str,
    voice: str | npt.NDArray[np.float32],
    speed: float,
    accent: str = "en-us",
) -> tuple[Samples, int]:
    """One sentence in `en` or `zh` as float32 `[n]` without silence at its ends, and its rate.

    model: a `kokoro_model`. voice: a name, or a style float32 `[510, 1, 256]`. speed: 0.5 to 2.
    """
    if language == "zh":
        phonemes, _ = _chinese_phonemes()(text)
        samples, rate = model.create(phonemes, voice=voice, speed=speed, is_phonemes=True)
    else:
        samples, rate = model.create(text, voice=voice, speed=speed, lang=accent)
    return np.asarray(samples, np.float32).ravel(), int(rate)


def kokoro_model(threads: int, *, published: bool = False) -> Any:
    """The model with all voices, loaded once in every process; a `kokoro_onnx.Kokoro`.

    published: by the published graph, which sounds the same on every processor; else by the faster
    one where it is exact.

    A forked process cannot use its parent's, which has threads and an open archive, nor free it.
    """
    return _kokoro_model(threads, published, os.getpid())


@cache
def _kokoro_model(threads: int, published: bool, process: int) -> Any:
    try:
        from kokoro_onnx import Kokoro
    except ImportError as error:
        raise HarkenError(f"cannot speak ({error}): pip install 'harken[voice]'") from error
    is_ours = not published and _products_are_exact()
    graph = graph_file("kokoro.onnx") if is_ours else None
    model = Kokoro.from_session(kokoro_session(threads, graph), str(voices_archive()))
    # Dictionaries and a first pass take seconds, which a first reply would wait for.
    synthesise(model, "Yes.", "en", "af_heart", 1.0)
    return model


def kokoro_session(threads: int, graph: bytes | None) -> Any:
    """An ONNX Runtime session over the weights of the part `kokoro`.

    graph: `kokoro.onnx` of `scripts/make_kokoro_graph.py`, which takes 0.6 of the time and reads
    the weights where they lie in the published file; None is the published graph.
    """
    import onnxruntime

    folder = ensure("kokoro")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Spinning workers would take the cores from the ears between two operators.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", str(folder)
    )
    published = str(next(iter(sorted(folder.glob("*.onnx")))))
    session = onnxruntime.InferenceSession(
        graph or published, options, providers=["CPUExecutionProvider"]
    )
    # kokoro_onnx asks a session for its path, which one made from bytes lacks.
    session._model_path = published
    return session


def _products_are_exact() -> bool:
    """Whether products of unsigned and signed bytes are; x86 without VNNI clips pairs of them."""
    import onnxruntime

    a, b = np.full((16, 64), 255, np.uint8), np.full((64, 16), 127, np.int8)
    session = onnxruntime.InferenceSession(
        graph_file("product.onnx"), providers=["CPUExecutionProvider"]
    )
    (found,) = session.run(None, {"a": a, "b": b})
    return bool((found == 64 * 255 * 127).all())


def _known(voice: str, letters: str) -> str:
    known = [name for name in sorted(VOICE_SHA256) if name[0] in letters]
    if voice not in known:
        raise HarkenError(f"no kokoro voice {voice!r}; choose one of {', '.join(known)}")
    return voice


def voices_archive() -> Path:
    """All voices in one `.npz`, as kokoro-onnx wants them; the part has a file for each.

    Made once, and kept in the cache.
    """
    path = cache_dir() / "speech" / "voices.npz"
    if not path.is_file():
        voices = {
            file.stem: np.fromfile(file, dtype=np.float32).reshape(-1, 1, 256)
            for file in sorted(ensure("kokoro-voices").glob("*.bin"))
        }
        with cache_writes(path.parent, _NEEDED_BYTES):
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f".voices.{os.getpid()}.npz")
            np.savez(partial, **voices)  # type: ignore[arg-type]
            os.replace(partial, path)
    return path


@cache
def _chinese_phonemes() -> Any:
    with warnings.catch_warnings():
        # jieba, which misaki uses, imports a module that setuptools deprecates.
        warnings.simplefilter("ignore")
        try:
            import jieba  # type: ignore[import-untyped, unused-ignore]
            from misaki import zh
        except ImportError as error:
            raise HarkenError(
                f"cannot speak Chinese ({error}): pip install 'harken[voice]'"
            ) from error
        jieba.setLogLevel("ERROR")
        phonemes = zh.ZHG2P()
        phonemes("好")  # reads its dictionary at the first word
        return phonemes
