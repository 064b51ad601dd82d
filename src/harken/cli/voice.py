"""What `--voice` and `--save-voice` do: replies through the loudspeaker, or into a file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from harken.cli.inputs import warn
from harken.cli.outputs import require_place
from harken.cli.sound_device import Loudspeaker
from harken.errors import HarkenError
from harken.live.playing import Playing
from harken.live.recorder import Recorder
from harken.live.speaking import Speaking
from harken.live.trace import Event
from harken.respond.voice import Voice
from harken.respond.voices import voice_named


def parse_voice(
    name: str | None, save: Path | None, *, sessions: int, is_paced: bool
) -> Voice | None:
    """The voice that was asked for, loaded; None without one. Refuses what cannot be heard."""
    if name is None:
        if save:
            raise HarkenError(f"nobody speaks into {save}; give --voice, such as --voice kokoro")
        return None
    if save and sessions > 1:
        raise HarkenError(f"{sessions} sessions do not fit in {save}; name one recording")
    require_place(save)
    if not save and not is_paced:
        raise HarkenError(
            "a recording is heard faster than anybody speaks; give --save-voice OUT.wav or "
            "--realtime"
        )
    return voice_named(name)


@contextmanager
def spoken(
    voice: Voice | None, save: Path | None, playing: Playing
) -> Iterator[Callable[[Event], None]]:
    """Takes the events of one session and speaks its replies until the last one was heard.

    With `save` they are written there at the end, also when the session breaks off.
    """

    def failed(error: HarkenError) -> None:
        warn(f"{error}; the replies go on in text")

    if voice is None:
        yield lambda event: None
    elif save:
        recorder = Recorder(voice, playing, failed)
        try:
            yield recorder.event
        finally:
            recorder.write(save)
    else:
        with Loudspeaker(playing.played) as loudspeaker:
            speaking = Speaking(voice, loudspeaker, playing, failed)
            try:
                yield speaking.event
                speaking.finish()
            finally:
                speaking.close()
