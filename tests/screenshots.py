"""Take the pictures of the documentation.

python tests/screenshots.py docs
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page
from served import MONGOLIA, REKOGNITION, ask, browsing, serving, visiting

DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


def settle(page: Page, path: Path) -> None:
    """Take a picture once scrolling has come to rest."""
    page.wait_for_timeout(1000)
    page.screenshot(path=path)


def main() -> None:
    """Write chat.png, chat-dark.png and chat-phone.png into a folder."""
    folder = Path(sys.argv[1])
    with (
        tempfile.TemporaryDirectory() as scratch,
        serving(Path(scratch)) as server,
        browsing() as browser,
    ):
        with visiting(browser, server.url, viewport=DESK) as page:
            ask(page, REKOGNITION)
            settle(page, folder / "chat.png")
        with visiting(browser, server.url, viewport=DESK, color_scheme="dark") as page:
            ask(page, MONGOLIA)
            page.click(".closest summary")
            settle(page, folder / "chat-dark.png")
        with visiting(browser, server.url, viewport=PHONE, has_touch=True) as page:
            ask(page, REKOGNITION)
            page.click(".best .cite")
            settle(page, folder / "chat-phone.png")


if __name__ == "__main__":
    main()
