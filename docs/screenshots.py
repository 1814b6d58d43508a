"""Pictures of the report for the docs: `tox -e screenshots`, after `tox -e parity`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright import sync_api

IMAGES = Path(__file__).parent / "images"
PAGE = Path("results/parity/report.html")
SHOTS = {"report": (1280, 860), "report-phone": (390, 844)}  # width and height of the screen


def main() -> None:
    """Take every picture."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), "")
    if not chromium or not PAGE.exists():
        missing = "Chromium, on the PATH" if not chromium else f"{PAGE}: run `tox -e parity`"
        sys.exit(f"there is no {missing}")
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, (width, height) in SHOTS.items():
            tab = browser.new_page(viewport={"width": width, "height": height})
            tab.goto(PAGE.resolve().as_uri())
            tab.screenshot(path=IMAGES / f"{name}.png")
            print(f"wrote {IMAGES / name}.png")
        browser.close()


if __name__ == "__main__":
    main()
