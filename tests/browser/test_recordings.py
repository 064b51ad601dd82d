"""Recordings on the page: what is opened, what is not, and all of it is heard."""

import base64
import io
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from playwright.sync_api import Page, expect
from tests.browser.conftest import SAMPLES
from tests.browser.person import drop, events, saved, tab_to

pytestmark = pytest.mark.slow


def write_video(path: Path, samples: npt.NDArray[np.float32], rate: int) -> None:
    """A black picture with sound, as a phone makes it."""
    with av.open(path, "w") as video:
        picture = video.add_stream("mpeg4", rate=10, width=64, height=64, pix_fmt="yuv420p")
        sound = video.add_stream("aac", rate=rate, layout="mono")
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        heard = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
        heard.sample_rate = rate
        for stream, frames in ((picture, (frame, None)), (sound, (heard, None))):
            for one in frames:
                video.mux(stream.encode(one))


def test_a_dropped_recording_is_heard_to_its_end(page: Page, recordings: Path) -> None:
    page.get_by_role("group", name="Speaks unasked").get_by_text("Narrate").click()
    page.get_by_text("Fast", exact=True).click()
    drop(page, {"my evening.flac": (recordings / "evening.flac").read_bytes()})
    expect(page.get_by_role("status")).to_contain_text("Listening to my evening.flac")
    expect(page.get_by_role("status")).to_contain_text("Paused")

    back = page.get_by_role("button", name="Back to now")
    tab_to(page, "timeline")
    page.keyboard.press("Home")
    expect(back).to_be_visible()
    page.keyboard.press("End")
    expect(back).to_be_hidden()

    replies = events(page, "harken.response")
    assert replies
    expect(page.locator(".card")).to_have_count(len(replies))
    responding = {c["time_s"] for c in events(page, "harken.chunk") if c["decision"] == "respond"}
    assert {reply["time_s"] for reply in replies} <= responding
    text = saved(page, "Save the session as text")
    assert all(reply["text"] in text for reply in replies)
    assert "sound    Owl" in text


@pytest.mark.parametrize("name", ["owl.flac", "owl.mp3", "owl.ogg", "owl.mp4"])
def test_recordings_of_many_kinds_are_opened(page: Page, tmp_path: Path, name: str) -> None:
    """Also the sound of a video; all of it, at its level."""
    tone = 0.5 * np.sin(np.arange(48_000) / 8).astype(np.float32)
    if name.endswith("mp4"):
        write_video(tmp_path / name, tone, 48_000)
    else:
        soundfile.write(tmp_path / name, np.stack([tone, tone], 1), 48_000)
    n_samples, level = page.evaluate(
        """async (data) => {
          const { decodeRecording } = await import("/static/recording.js");
          const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
          const samples = await decodeRecording(bytes.buffer);
          return [samples.length, Math.hypot(...samples.subarray(6000, 18000)) / 12000 ** 0.5];
        }""",
        base64.b64encode((tmp_path / name).read_bytes()).decode(),
    )
    assert n_samples == pytest.approx(24_000, abs=2_500)  # lossy formats pad
    assert level == pytest.approx(0.5 / 2**0.5, rel=0.05)


def test_a_file_without_sound_is_named_and_the_next_one_is_heard(page: Page) -> None:
    drop(page, {"holiday.mp4": b"\0\0\0\x18ftypmp42 and nothing that follows"})
    expect(page.get_by_role("alert")).to_contain_text("no sound in “holiday.mp4”")
    expect(page.get_by_role("status")).to_have_text("Ready")
    drop(page, {"evening.flac": (SAMPLES / "evening.flac").read_bytes()})
    expect(page.get_by_role("status")).to_contain_text("Listening to evening.flac")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_of_two_recordings_the_last_one_is_heard(page: Page) -> None:
    """The first is long, and is still being decoded when the second is ready."""
    page.evaluate(
        """() => new MutationObserver(([{ target }]) =>
          (window.told ??= []).push(target.textContent)
        ).observe(document.getElementById("status"), { childList: true })"""
    )
    long, short = io.BytesIO(), io.BytesIO()
    soundfile.write(long, np.zeros(24_000 * 600, np.int16), 24_000, format="flac")
    soundfile.write(short, np.zeros(24_000, np.int16), 24_000, format="wav")
    drop(page, {"long.flac": long.getvalue(), "short.wav": short.getvalue()})
    expect(page.get_by_role("status")).to_contain_text("Listening to short.wav")
    expect(page.get_by_role("status")).to_contain_text("Paused")
    told = page.evaluate("told")
    assert told[0] == "Opening short.wav…"
    assert "Listening to long.flac" not in told


def test_a_piecewise_resampled_tone_is_the_whole_one(page: Page) -> None:
    """In pieces of any length: the same samples, and the tone keeps its level."""
    error, level = page.evaluate(
        """async () => {
          const { Resampler } = await import("/static/resampler.js");
          const tone = Float32Array.from({ length: 48000 }, (_, i) => Math.sin(i / 10));
          const whole = new Resampler(44100, 24000).push(tone);
          const pieces = new Resampler(44100, 24000);
          const joined = [];
          for (let at = 0, n = 1; at < tone.length; at += n, n = (n * 7) % 997 + 1) {
            joined.push(...pieces.push(tone.subarray(at, at + n)));
          }
          const error = Math.max(...joined.map((x, i) => Math.abs(x - whole[i])));
          return [error, Math.max(...whole.subarray(100))];
        }"""
    )
    assert error < 1e-4
    assert level == pytest.approx(1, abs=0.01)
