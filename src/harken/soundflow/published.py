"""The published JSONL formats of streaming dialogues: our streams out, theirs in.

Three shapes of a line (arXiv 2606.05121, its dataset card and the code released with it):

    card          {"id", "stream_scene_type", "num_turns", "turns": [{"user", "assistant",
                  "emotion", "scene_type", "audio_path"}]}
    conversation  {"conversation": [{"audio_path", "assistant", "emotion"?}]}, and for one turn
                  {"merge_path", "assistant", "emotion"?}
    offline       {"user"?, "assistant", "audio_path"?}: `user` is typed, not heard

A turn is a recording and the reply due when it ends; one without a reply says
`<no need to response>`. Our streams are cut at the end of each chunk that a reply follows, so that
reading them again puts every reply on its chunk. What the formats cannot hold:

- when words were heard inside a turn: `user` is one text, read as speech, not as recognised words;
- the policy, and an order given as text (but for `user` of offline): streams of one policy are
  exported, those under a text order are left out of the other two shapes;
- our own voice in the microphone and being told to stop: such streams are left out;
- that two lines share one audio: every variant gets a copy;
- labels of sounds, and sources: those lie beside the file, in `<name>.sources.json`;
- decisions that are not to be learnt; the cause of a reply, but as `scene_type` of a card;
- retold and imagined streams: their words and sounds are not those of a recording;
- where a reply stands when two turns end in one chunk: the second moves on to the next.
"""

import io
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from harken.errors import HarkenError
from harken.soundflow.published_turns import (
    SILENT,
    Published,
    Turn,
    is_silent,
    timeline_from,
    turns_of,
)
from harken.soundflow.shards.provenance import Source, sources_of
from harken.soundflow.shards.stream import Row, require_id
from harken.stream import SAMPLE_RATE, Prefix
from harken.stream.policy import DEFAULT_POLICY
from harken.stream.profile import EMOTIONS

Shape = Literal["card", "conversation", "offline"]


@dataclass(frozen=True, slots=True)
class Exported:
    """How many lines were written, and how many variants were left out for which reason."""

    written: int
    left_out: Mapping[str, int]


def export_published(
    source: Path,
    out_jsonl: Path,
    audio_dir: Path,
    *,
    shape: Shape = "card",
    policy: str = DEFAULT_POLICY,
) -> Exported:
    """Write the streams of a data folder or of shards in a published shape.

    Args:
        source: a data folder with audio (`harken data build --keep-audio`) or its shards.
        out_jsonl: one variant a line; appears when all is written. Beside it,
            `<name>.sources.json` lists what is in the audio, with licence and attribution.
        audio_dir: gets `<variant>/turn_<n>.wav`, 16 kHz, 16 bits. Paths in the file are relative
            to its folder when `audio_dir` lies in it, else absolute.
        shape: which one; offline takes streams with a single reply, up to that reply.
        policy: only variants under it: two policies contradict each other where none is told.

    Raises:
        HarkenError: an unknown shape or policy, no streams there, none with audio, or no room.
    """
    from harken.parts.cache import place
    from harken.soundflow.writes import writes_below

    if shape not in get_args(Shape):
        raise HarkenError(f"no shape {shape!r}; choose from {', '.join(get_args(Shape))}")
    Prefix(policy)  # refuses one that is none
    written, left_out, sources = 0, Counter[str](), dict[str, Source]()
    partial = out_jsonl.with_name(f".{out_jsonl.name}.partial")
    with writes_below(out_jsonl.parent), writes_below(audio_dir):
        with partial.open("w", encoding="utf-8") as out:
            for rows, flac, named in _streams(source):
                audio = None if flac is None else _pcm16(flac, rows[0]["features"])
                for row in rows:
                    why = _unholdable(row, shape, policy)
                    if why or audio is None:
                        left_out[why or "no audio kept"] += 1
                        continue
                    turns = turns_of(row, len(audio))[: 1 if shape == "offline" else None]
                    turns = _with_audio(turns, audio, audio_dir / row["id"])
                    line = _line(row, turns, shape, out_jsonl.parent)
                    out.write(json.dumps(line, ensure_ascii=False) + "\n")
                    sources |= {each.id: each for each in named}
                    written += 1
        if not written:
            partial.unlink()
            raise HarkenError(
                f"nothing of {source} fits the shape {shape}: {_told(left_out)}; compose streams "
                "with `harken data build --keep-audio`"
            )
        listed = [sources[id].as_json() for id in sorted(sources)]
        out_jsonl.with_suffix(".sources.json").write_text(
            json.dumps(listed, ensure_ascii=False, indent=1) + "\n", "utf-8"
        )
        place(partial, out_jsonl)
    return Exported(written, dict(left_out))


def import_published(
    jsonl: Path, *, audio_root: Path | None = None, prefix: Prefix | None = None
) -> Iterator[Published]:
    """Every line of a published file, in any of its shapes, as turns and a timeline.

    Args:
        jsonl: the file; shapes may be mixed.
        audio_root: where relative paths begin; the file's folder when left out.
        prefix: of the timelines, which the formats do not name; typed questions replace its
            instruction.

    Raises:
        HarkenError: a line has none of the shapes, a field is missing or wrong, or a recording
            cannot be read; the message names the line.
    """
    root = jsonl.parent if audio_root is None else audio_root
    try:
        lines = jsonl.open(encoding="utf-8")
    except OSError as missing:
        raise HarkenError(f"cannot read {jsonl} ({missing.strerror})") from missing
    with lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                raw = json.loads(line)
                if not isinstance(raw, dict):
                    raise HarkenError(f"a line is an object, not {line.strip()[:40]}")
                yield _published(raw, f"{jsonl.stem}-{number:06d}", root, prefix or Prefix())
            except (ValueError, KeyError, TypeError, AttributeError, HarkenError) as broken:
                why = f"field {broken} is missing" if isinstance(broken, KeyError) else str(broken)
                raise HarkenError(f"{jsonl}, line {number}: {why}; mend or remove it") from broken


def _streams(source: Path) -> Iterator[tuple[list[Row], bytes | None, tuple[Source, ...]]]:
    """Variants, audio and sources of each stream; a folder and its shards give the same order."""
    from harken.soundflow.shards.folder import read_shards
    from harken.soundflow.shards.input import listing

    if (source / "streams.jsonl").exists():
        with listing(source) as listed:
            for split, name in listed.names():
                rows = listed.rows(split, name)
                yield rows, listed.flac(name), sources_of(rows)
    else:
        for stream in read_shards(source):
            yield list(stream.rows), stream.flac, stream.sources


def _unholdable(row: Row, shape: Shape, policy: str) -> str:
    """Why a variant cannot be told in a shape; empty when it can."""
    require_id(row["id"])
    if row["prefix"]["policy"] != policy:
        return f"not under the policy {policy}"
    if {"retold", "resound", "unjudged"} & row.keys():
        return "retold or imagined"
    if row["playing"] or row["stops"]:
        return "our own voice is heard"
    if row["prefix"]["instruction"] and shape != "offline":
        return "an order given as text"
    if shape == "offline" and len(row["said"]) != 1:
        return "not one reply"
    if any(is_silent(text) or not text for _, text, *_ in row["said"]):
        return "a reply that reads as none"
    return ""


def _line(row: Row, turns: tuple[Turn, ...], shape: Shape, root: Path) -> dict[str, Any]:
    if shape == "card":
        told = [
            {
                "user": turn.user,
                "assistant": SILENT if turn.assistant is None else turn.assistant,
                "emotion": turn.emotion,
                "scene_type": turn.scene_type,
                "audio_path": _written_path(turn, root),
            }
            for turn in turns
        ]
        head = {"id": row["id"], "stream_scene_type": row["task"], "num_turns": len(told)}
        return head | {"turns": told}
    if shape == "conversation":
        return {
            "conversation": [
                {
                    "audio_path": _written_path(turn, root),
                    "assistant": SILENT if turn.assistant is None else turn.assistant,
                    "emotion": turn.emotion,
                }
                for turn in turns
            ]
        }
    typed = row["prefix"]["instruction"]
    asked = {"user": typed} if typed else {}
    return asked | {"assistant": turns[0].assistant, "audio_path": _written_path(turns[0], root)}


def _with_audio(
    turns: tuple[Turn, ...], audio: npt.NDArray[np.int16], folder: Path
) -> tuple[Turn, ...]:
    """The turns, each with its own recording."""
    import soundfile

    folder.mkdir(parents=True, exist_ok=True)
    cut = []
    for n, turn in enumerate(turns):
        path = folder / f"turn_{n}.wav"
        samples = audio[turn.start_sample : turn.end_sample]
        content = io.BytesIO()
        soundfile.write(content, samples, SAMPLE_RATE, format="WAV", subtype="PCM_16")
        # Written by us: soundfile does not say that a disk is full.
        path.write_bytes(content.getvalue())
        cut.append(replace(turn, audio=path))
    return tuple(cut)


def _written_path(turn: Turn, root: Path) -> str:
    path, root = Path(turn.audio or "").absolute(), root.absolute()
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()


def _published(raw: dict[str, Any], name: str, root: Path, prefix: Prefix) -> Published:
    if "turns" in raw:
        if raw.get("num_turns", len(raw["turns"])) != len(raw["turns"]):
            raise HarkenError(f"num_turns is {raw['num_turns']}, turns are {len(raw['turns'])}")
        told, name, scene = raw["turns"], str(raw["id"]), str(raw.get("stream_scene_type") or "")
    elif "conversation" in raw:
        told, scene = raw["conversation"], ""
    elif "merge_path" in raw:
        told, scene = [raw | {"audio_path": raw["merge_path"]}], ""
    elif "assistant" in raw:
        return _offline(raw, name, root, prefix)
    else:
        raise HarkenError(
            f"fields {', '.join(sorted(raw)) or '(none)'} are no published shape: a line has "
            "turns, conversation, merge_path or assistant"
        )
    if not told:
        raise HarkenError("there are no turns")
    turns: list[Turn] = []
    for each in told:
        turns.append(_turn(each, turns[-1].end_sample if turns else 0, root))
    return Published(name, scene, tuple(turns), timeline_from(tuple(turns), prefix))


def _turn(raw: dict[str, Any], start: int, root: Path) -> Turn:
    path = root / raw["audio_path"]
    emotion = str(raw.get("emotion") or "normal").lower()
    return Turn(
        start_sample=start,
        end_sample=start + _duration(path),
        user=str(raw.get("user") or ""),
        assistant=_reply(raw["assistant"]),
        # As the released reader does: what it does not know is normal.
        emotion=emotion if emotion in EMOTIONS else "normal",
        scene_type=str(raw.get("scene_type") or ""),
        audio=path,
    )


def _offline(raw: dict[str, Any], name: str, root: Path, prefix: Prefix) -> Published:
    """One question about a whole recording, or one that is typed alone."""
    typed = str(raw.get("user") or "")
    if not typed and not raw.get("audio_path"):
        raise HarkenError("there is neither user nor audio_path")
    if raw.get("audio_path"):
        turn = replace(_turn(raw, 0, root), user="")
    else:
        turn = Turn(0, 0, "", _reply(raw["assistant"]))
    asked = replace(prefix, instruction=typed) if typed else prefix
    return Published(name, "", (turn,), timeline_from((turn,), asked))


def _reply(assistant: Any) -> str | None:
    if not isinstance(assistant, str) or not assistant:
        raise HarkenError(f"assistant is {assistant!r}; a turn without a reply says {SILENT!r}")
    return None if is_silent(assistant) else assistant


def _duration(path: Path) -> int:
    """Samples at 16 kHz, from the header where it can be read."""
    import soundfile

    from harken.soundflow.decode import decode

    if not path.is_file():
        raise HarkenError(f"the recording {path} is missing")
    try:
        info = soundfile.info(path)
        samples: int = math.ceil(info.frames * SAMPLE_RATE / info.samplerate)
    except soundfile.LibsndfileError:
        samples = len(decode(path))
    if samples < 1:
        raise HarkenError(f"the recording {path} holds no samples")
    return samples


def _pcm16(flac: bytes, stream: str) -> npt.NDArray[np.int16]:
    import soundfile

    try:
        samples, rate_hz = soundfile.read(io.BytesIO(flac), dtype="int16")
    except soundfile.LibsndfileError as broken:
        raise HarkenError(
            f"the audio of stream {stream} cannot be read ({broken}); compose it again"
        ) from broken
    if rate_hz != SAMPLE_RATE or samples.ndim != 1:
        raise HarkenError(
            f"the audio of stream {stream} has {rate_hz} Hz and the shape {samples.shape}, not "
            f"{SAMPLE_RATE} Hz and one channel; compose it again"
        )
    return np.asarray(samples, np.int16)


def _told(left_out: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {why}" for why, count in left_out.items()) or "it is empty"
