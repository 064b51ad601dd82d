"""A reply comes back into the microphone of the session that said it, and somebody speaks over it;
mistakes about that, counted."""

import numpy as np
import pytest
import soxr

from harken.decide.decoder_listener import DecoderListener
from harken.decide.model import load_listener, operating_point
from harken.evals.own_voice import (
    Heard,
    Recital,
    own_voice_figures,
    own_voice_session,
    remark_figures,
)
from harken.live.conduct import Conduct
from harken.perceive.perception import Perception
from harken.respond.voices import voice_named
from harken.soundflow.speech.leakage import Leakage
from harken.soundflow.speech.rooms import Room
from harken.stream import SAMPLE_RATE
from harken.stream.policy import DEFAULT_POLICY

ECHO = Leakage(0.15, -20.0, room=Room((4.0, 3.0, 2.5), 0.3))


def spoken(text: str) -> np.ndarray:
    """float32 at 16 kHz: a person says it."""
    (speech,) = voice_named("kokoro:am_michael").speak(text)
    return np.asarray(soxr.resample(speech.samples / 2, speech.rate, SAMPLE_RATE), np.float32)


@pytest.fixture(scope="module")
def listener() -> DecoderListener:
    return load_listener()


@pytest.fixture(scope="module")
def perception() -> Perception:
    return Perception()


@pytest.mark.slow
@pytest.mark.parametrize(("remark", "is_cut"), [("Stop.", True), ("Mhm.", False)])
def test_stop_cuts_a_reply_mhm_does_not_and_nothing_is_said_to_its_own_voice(
    listener: DecoderListener, perception: Perception, remark: str, is_cut: bool
) -> None:
    session = own_voice_session(
        listener,
        perception,
        voice_named("kokoro"),
        [spoken("How does photosynthesis work?")],
        ECHO,
        conduct=Conduct(point=operating_point(listener.checkpoint, DEFAULT_POLICY)),
        seed=0,
        remark=spoken(remark),
    )
    (answer,), (said_at,) = session.answers, session.remarks
    assert "plants" in answer
    assert session.said == ()
    assert bool(session.stopped) == is_cut
    assert all(said_at < chunk <= said_at + 5 for chunk in session.stopped)


def test_figures_count_mistakes_over_the_time_of_our_voice_and_remarks_that_cut() -> None:
    sessions = [
        Heard(1800.0, ("Paris.",), ((9, "Yes."), (20, "No.")), (), (), ""),
        Heard(1800.0, ("Rome.",), (), (30,), (), ""),
    ]
    figures = own_voice_figures(sessions)
    assert figures["replies to its own voice per hour"].value == 2
    assert figures["stops untold per hour"].value == 1
    told = [Heard(9.0, ("A.", "B."), ((52, "Yes."),), (12,), (10, 50), "")]
    figures = remark_figures(told)
    assert figures["stopped"].value == 0.5 and figures["answered"].value == 0.5
    assert figures["stopped"].n == 2


def test_what_is_said_long_after_a_recording_is_said_to_nobody() -> None:
    recital = Recital(9.0, ((10, "One."), (30, "Two."), (31, "Two.")), end=20)
    assert recital.said_afterwards == ("Two.",)
