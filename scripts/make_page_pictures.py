"""Takes the pictures of docs/live.md from a running server.

    harken serve --samples samples &
    pip install playwright pillow && python scripts/make_page_pictures.py http://127.0.0.1:8765

Needs Chromium (Debian's package chromium). What the pictures show is what the model did.
"""

import io
import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

FOLDER = Path(__file__).parents[1] / "docs" / "images"
WIDE, PHONE = (1280, 800), (360, 740)
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
COLOURS = 128
PATIENCE_MS = 900_000


def start(page: Page) -> None:
    """As it opens."""
    page.locator(".sample").first.wait_for()


def transcribe(page: Page) -> None:
    """Announcements, written down while they are spoken."""
    _order(page, "Please transcribe what I say.")
    _listen(page, "announcements", is_fast=True)
    expect(page.locator(".card .card-facts .fact").nth(11)).to_be_visible()


def narrate(page: Page) -> None:
    """An evening by the pond, with the voice on."""
    page.get_by_role("group", name="Speaks unasked").get_by_text("Narrate").click()
    page.get_by_text("Speak replies").click()
    page.get_by_label("Which voice").select_option("espeak")
    _listen(page, "evening", is_fast=True)
    expect(page.locator(".card").nth(2)).to_be_visible()
    expect(page.locator(".card").first.locator(".voice-state")).to_have_text("speaking")


def count(page: Page) -> None:
    """Owls, counted, on a phone."""
    _order(page, "Count every hoot out loud.")
    _listen(page, "owl counts", is_fast=True)
    expect(page.get_by_role("status")).to_contain_text("Paused")
    page.locator(".stream").evaluate("(stream) => stream.scrollIntoView()")


PICTURES: dict[Callable[[Page], None], tuple[tuple[int, int], str]] = {
    start: (WIDE, "light"),
    transcribe: (WIDE, "light"),
    narrate: (WIDE, "dark"),
    count: (PHONE, "light"),
}


def take(browser: Browser, address: str, picture: Callable[[Page], None]) -> None:
    """Open the page, do what the picture shows, save it with few colours."""
    (width, height), theme = PICTURES[picture]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        has_touch=(width, height) == PHONE,
        is_mobile=(width, height) == PHONE,
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(address)
    picture(page)
    page.mouse.move(4, 4)
    whole = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    small = whole.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    small.save(FOLDER / f"page-{picture.__name__}.png", optimize=True)
    print(picture.__name__, page.locator(".card-text").all_inner_texts()[::-1], flush=True)
    context.close()


def _order(page: Page, text: str) -> None:
    page.get_by_label("A new standing order").fill(text)
    page.keyboard.press("Enter")
    expect(page.locator("#orders li:not(.pending)")).to_have_text(text)


def _listen(page: Page, sample: str, *, is_fast: bool) -> None:
    if is_fast:
        page.get_by_text("Fast", exact=True).click()
    page.get_by_role("button", name=sample).click()


def main() -> None:
    """Take them all, or those named behind the address, and print the replies on each."""
    address, *names = sys.argv[1:] or ["http://127.0.0.1:8765"]
    expect.set_options(timeout=PATIENCE_MS)
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*FLAGS])
        for picture in PICTURES:
            if not names or picture.__name__ in names:
                take(browser, address, picture)
        browser.close()


if __name__ == "__main__":
    main()
