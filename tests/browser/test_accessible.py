"""The page for everybody: with a screen reader, in any theme, and without motion."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from tests.browser.person import drop

pytestmark = pytest.mark.slow

RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]


def barriers(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.2 AA and its own advice."""
    found = Axe().run(page, options={"runOnly": RULES}).response["violations"]
    return [f"{one['help']}: {[node['html'] for node in one['nodes']]}" for one in found]


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_there_is_no_barrier(page: Page, width: int, theme: str) -> None:
    """As the page opens; with an order, a reply and a message on it."""
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    assert barriers(page) == []
    drop(page, {"broken.wav": b"RIFF"})
    expect(page.get_by_role("alert")).to_be_visible()
    page.evaluate(
        """async () => {
          const { Cards } = await import("/static/cards.js");
          const { Orders } = await import("/static/orders.js");
          const $ = (id) => document.getElementById(id);
          const parts = { list: $("cards"), empty: $("no-cards"), count: $("card-count") };
          const cards = new Cards({ ...parts, spoken: $("spoken") });
          for (const emotion of ["normal", "urgent"]) {
            const said = { time_s: 9.2, text: "A smoke alarm.", cause: "Beep", isDone: true };
            const times = { first_token_ms: 64, done_ms: 412 };
            cards.show({ response_id: emotion, emotion, ...said, ...times });
            cards.voice(emotion, "speaking");
          }
          const orders = { list: $("orders"), form: $("order-form"), ideas: $("order-ideas") };
          new Orders(orders).show([{ id: "order_1", text: "Count the owls." }]);
        }"""
    )
    assert barriers(page) == []


@pytest.mark.parametrize(("motion", "is_calm"), [("reduce", True), ("no-preference", False)])
def test_with_reduced_motion_the_timeline_turns_pages(
    page: Page, motion: str, is_calm: bool
) -> None:
    """While a minute goes by, it tells where it stands whenever it has moved."""
    page.emulate_media(reduced_motion=motion)  # type: ignore[arg-type]
    places = page.evaluate(
        """async () => {
          const { Timeline } = await import("/static/timeline.js");
          const { Story } = await import("/static/story.js");
          const { Spectrogram } = await import("/static/spectrogram.js");
          const canvas = document.createElement("canvas");
          document.querySelector(".lanes").append(canvas);
          canvas.style.width = "100%";
          let sent_s = 0;
          const timeline = new Timeline({
            canvas, story: new Story(), spectrogram: new Spectrogram(),
            sent_s: () => sent_s, threshold: () => 0.5, onFollow: () => {},
          });
          timeline.recolour();
          const places = new Set();
          while ((sent_s += 1) < 60) {
            const last = canvas.dataset.chunks = "before";
            while (canvas.dataset.chunks === last) await new Promise(requestAnimationFrame);
            places.add(canvas.getAttribute("aria-label"));
          }
          return [...places];
        }"""
    )
    assert (len(places) < 10) == is_calm
    assert len(places) > 3
