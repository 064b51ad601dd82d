"""What a person does on the page."""

import base64
import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

FOCUSED = "document.activeElement.id"


def tab_to(page: Page, control: str) -> None:
    """Reach a control as one does without a pointer."""
    for _ in range(40):
        if page.evaluate(FOCUSED) == control:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {control}")


def saved(page: Page, button: str) -> str:
    """What a button of the page saves."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return Path(download.value.path()).read_text(encoding="utf-8")


def events(page: Page, kind: str) -> list[dict[str, Any]]:
    """Events of the session so far, as the page would save them."""
    session = json.loads(saved(page, "Save the session as JSON"))
    return [event for event in session["events"] if event["type"] == kind]


def drop(page: Page, files: dict[str, bytes]) -> None:
    """Drop files on the page, one right after the other."""
    page.evaluate(
        """(files) => {
          for (const [name, data] of files) {
            const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([bytes], name));
            const how = { dataTransfer, bubbles: true, cancelable: true };
            document.querySelector("main").dispatchEvent(new DragEvent("drop", how));
          }
        }""",
        [[name, base64.b64encode(data).decode()] for name, data in files.items()],
    )
