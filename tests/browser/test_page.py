"""The page against a real server: what a person does, and what then is to be seen."""

import re
from collections import deque
from itertools import pairwise

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect
from tests.browser.person import events, tab_to
from tests.serve.conftest import Server

pytestmark = pytest.mark.slow

SESSIONS = "**/v1/live/sessions*"


def test_the_keyboard_alone_orders_listens_and_hushes(page: Page) -> None:
    tab_to(page, "order")
    page.keyboard.type("Please transcribe what I say.")
    page.keyboard.press("Enter")
    expect(page.locator("#orders li:not(.pending)")).to_have_text("Please transcribe what I say.")
    tab_to(page, "voice-on")
    page.keyboard.press("Space")
    tab_to(page, "voice")
    page.keyboard.type("espeak")
    tab_to(page, "listen")
    page.keyboard.press("Enter")

    card = page.locator(".card").last
    expect(page.locator(".card.speaking")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".card .voice-state", has_text="cut off")).not_to_have_count(0)
    expect(page.locator(".card.speaking")).to_have_count(0)
    expect(card.locator(".card-facts")).to_contain_text("first word")

    tab_to(page, "listen")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Paused")

    # The first announcement lasts from 1.6 s to 3.1 s.
    [first, *_] = events(page, "harken.response")
    assert 2 < first["time_s"] < 6
    minutes, seconds = card.locator(".card-time").inner_text().split(":")
    assert 60 * int(minutes) + int(seconds) == int(first["time_s"])


def test_a_session_that_is_lost_begins_again_with_the_orders_and_keeps_the_cards(
    page: Page,
) -> None:
    lines: list[WebSocketRoute] = []

    def connect(line: WebSocketRoute) -> None:
        lines.append(line)
        if len(lines) == 2:
            line.close(code=4404)
        else:
            line.connect_to_server()

    page.route_web_socket(SESSIONS, connect)
    page.reload()
    page.get_by_text("Please transcribe what I say.").click()
    expect(page.locator("#orders li:not(.pending)")).to_have_count(1)
    page.get_by_role("button", name="Listen").click()
    expect(page.locator(".card .card-facts .fact").first).to_be_visible()
    said = page.locator(".card-text").last.inner_text()
    lines[0].close()
    expect(page.get_by_role("alert")).to_contain_text("A new one has begun")
    expect(page.locator("#orders li:not(.pending)")).to_have_text("Please transcribe what I say.")
    expect(page.get_by_role("status")).to_contain_text("Listening to the microphone")
    assert page.locator(".card-text").last.inner_text() == said


def test_a_broken_line_goes_back_to_its_session(page: Page) -> None:
    lines: list[WebSocketRoute] = []

    def connect(line: WebSocketRoute) -> None:
        line.connect_to_server()
        lines.append(line)

    page.route_web_socket(SESSIONS, connect)
    page.reload()
    page.get_by_role("button", name="Listen").click()
    timeline = page.locator("#timeline")
    expect(timeline).to_have_attribute("data-chunks", re.compile("[1-9]"))
    lines[0].close()
    expect(page.get_by_role("alert")).to_contain_text("Trying again")
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(page.get_by_role("status")).to_contain_text("Listening to the microphone")
    first, second = events(page, "session.started")
    assert second["session"]["id"] == first["session"]["id"]
    assert f"session_id={first['session']['id']}" in lines[1].url
    expect(timeline).not_to_have_attribute("data-chunks", str(len(events(page, "harken.chunk"))))


def test_a_server_that_falls_behind_is_told_until_it_has_caught_up(page: Page) -> None:
    """Decisions come ten chunks late here, and the server says what it leaves out."""
    late: deque[str | bytes] = deque()
    most_late = [10]
    lines: list[WebSocketRoute] = []

    def connect(line: WebSocketRoute) -> None:
        def pass_on(message: str | bytes) -> None:
            if "harken.chunk" not in str(message):
                return line.send(message)
            late.append(message)
            while len(late) > most_late[0]:
                line.send(late.popleft())

        lines.append(line)
        line.connect_to_server().on_message(pass_on)

    page.route_web_socket(SESSIONS, connect)
    page.reload()
    status = page.get_by_role("status")
    page.get_by_role("button", name="Listen").click()
    expect(status).to_have_text("Listening to the microphone, and is behind")
    lines[0].send('{"type": "harken.lag", "lag_s": 4.1, "policy": "no-acoustic"}')
    expect(page.get_by_text("tone and music are left out")).to_be_visible()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(status).to_have_text("Paused: what was heard is still being decided")
    lines[0].send('{"type": "harken.lag", "lag_s": 0.3, "policy": "none"}')
    expect(page.locator("#shed")).to_be_hidden()
    most_late[0] = 0
    while late:
        lines[0].send(late.popleft())
    expect(status).to_have_text("Paused: nothing is heard")


def test_a_page_that_is_loaded_again_goes_on_with_its_session(page: Page) -> None:
    page.get_by_role("group", name="Speaks unasked").get_by_text("Narrate").click()
    tab_to(page, "order")
    page.keyboard.type("Count every hoot out loud.")
    page.keyboard.press("Enter")
    expect(page.locator("#orders li:not(.pending)")).to_have_count(1)
    page.get_by_role("button", name="evening").click()
    expect(page.locator(".card-facts .fact")).not_to_have_count(0)
    tab_to(page, "listen")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Paused")
    told = events(page, "harken.chunk")
    card = page.locator(".card-text").last.inner_text()
    page.reload()

    expect(page.get_by_role("status")).to_have_text("Paused: press Listen to go on")
    assert page.locator(".card-text").last.inner_text() == card
    assert events(page, "harken.chunk")[: len(told)] == told
    expect(page.locator("#orders li")).to_have_text("Count every hoot out loud.")
    expect(page.get_by_role("radio", name="Narrate")).to_be_checked()
    loud = "({data}) => data.filter((level, i) => i % 4 < 3 && level > 60).length"
    drawn = f"({loud})(timeline.getContext('2d').getImageData(0, 0, timeline.width, 150))"
    assert page.evaluate(drawn) > 1_000, "the spectrogram is there again"

    first, second = events(page, "session.started")
    assert second["session"]["id"] == first["session"]["id"]
    heard_chunks = second["session"]["harken"]["heard_s"] / 0.4
    assert heard_chunks >= len(told)
    page.get_by_role("button", name="Listen").click()
    page.evaluate(
        """(least) => new Promise((heard) => {
          const look = () =>
            Number(timeline.dataset.chunks) > least ? heard() : requestAnimationFrame(look);
          look();
        })""",
        heard_chunks + 1,
    )
    after = [chunk["chunk"] for chunk in events(page, "harken.chunk")]
    assert after == sorted(set(after)), "what was on its way may be lost, nothing comes twice"


def test_replies_of_a_session_that_is_gone_stay_when_the_page_is_loaded_again(page: Page) -> None:
    page.get_by_text("Count every hoot out loud.").click()
    expect(page.locator("#orders li:not(.pending)")).to_have_count(1)
    is_gone = [True]
    page.route_web_socket(
        SESSIONS,
        lambda line: line.close(code=4404) if is_gone else line.connect_to_server(),
    )
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("no longer has the session")
    expect(page.locator("#orders li")).to_have_text("Count every hoot out loud.")
    is_gone.clear()
    page.get_by_role("button", name="Listen").click()
    expect(page.get_by_role("status")).to_contain_text("Listening to the microphone")
    expect(page.locator("#orders li:not(.pending)")).to_have_text("Count every hoot out loud.")


def test_an_address_says_what_to_begin_with(page: Page) -> None:
    """As `harken live` opens it, without a hand on the page."""
    page.goto(
        f"{page.url}?policy=narrate&voice=espeak&order=Count+every+hoot+out+loud.&play=evening.flac"
    )
    expect(page.get_by_role("status")).to_contain_text("Listening to evening")
    expect(page.locator("#orders li:not(.pending)")).to_have_text("Count every hoot out loud.")
    expect(page.get_by_role("radio", name="Narrate")).to_be_checked()
    expect(page.get_by_label("Speak replies")).to_be_checked()
    expect(page.get_by_label("Which voice")).to_have_value("espeak")
    expect(page.locator("#timeline")).to_have_attribute("data-chunks", re.compile("[1-9]"))


@pytest.mark.parametrize(
    ("code", "advice"), [(4401, "asks for a token"), (4503, "Wait until one ends")]
)
def test_a_refusal_says_what_to_do(page: Page, code: int, advice: str) -> None:
    page.route_web_socket(SESSIONS, lambda line: line.close(code=code))
    page.reload()
    page.get_by_role("button", name="Listen").click()
    expect(page.get_by_role("alert")).to_contain_text(advice)
    expect(page.get_by_role("button", name="Listen")).to_be_visible()


def test_without_a_microphone_it_says_how_to_get_one(page: Page) -> None:
    page.evaluate(
        """() => navigator.mediaDevices.getUserMedia = async () => {
          throw new DOMException("no", "NotAllowedError");
        }"""
    )
    page.get_by_role("button", name="Listen").click()
    expect(page.get_by_role("alert")).to_contain_text("Allow it in the address bar")


def test_nothing_is_wider_than_a_phone(page: Page, server: Server) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_replies_on_the_timeline_are_read_inside_of_it(page: Page) -> None:
    """The newest one too, which came a moment ago and is long."""
    boxes = page.evaluate(
        """async () => {
          const { drawReplies } = await import("/static/lanes.js");
          const view = {
            context: document.createElement("canvas").getContext("2d"),
            colours: {}, width: 340, from_s: 0, to_s: 8, x: (time_s) => 44 * time_s,
            top: 0, height: 56,
          };
          const text = "A smoke alarm is beeping! Please check the kitchen at once.";
          const reply = (time_s) => ({ response_id: `resp_${time_s}`, time_s, text, emotion: "" });
          return drawReplies(view, [1, 4.4, 6].map(reply), 0);
        }"""
    )
    assert [box["id"] for box in boxes] == ["resp_1", "resp_4.4", "resp_6"]
    assert all(0 <= box["left"] < box["right"] <= 340 for box in boxes)
    assert all(one["right"] < other["left"] for one, other in pairwise(boxes))


def test_replies_that_come_while_another_tab_is_looked_at_stand_in_the_title(page: Page) -> None:
    titles = page.evaluate(
        """async () => {
          const { Status } = await import("/static/status.js");
          const status = new Status({});
          const look = (isHidden) => {
            Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
            return document.title;
          };
          const reply = () => (status.replied(), document.title);
          return [reply(), look(true), reply(), reply(), look(false), reply()];
        }"""
    )
    assert titles == ["Harken", "Harken", "(1) Harken", "(2) Harken", "Harken", "Harken"]


def test_a_voice_is_acknowledged_to_its_end(page: Page) -> None:
    """Three pieces of 100.04 ms: all of it was heard, not a millisecond less."""
    page.locator("h1").click()  # a page may sound once a person has touched it
    played = page.evaluate(
        """() => new Promise((heard) => {
          import("/static/player.js").then(({ Player }) => {
            const told = [];
            const player = new Player({
              onPlayed: (id, ms) => told.push([id, ms]),
              onSpeaking: (id, isSpeaking) => isSpeaking || heard(told),
            });
            for (let n = 0; n < 3; n++) player.play("resp_1", new Float32Array(2401));
          });
        })"""
    )
    assert {of for of, _ in played} == {"resp_1"}
    assert played[-1][1] >= 3 * 2401 / 24
    assert [ms for _, ms in played] == sorted(ms for _, ms in played)
