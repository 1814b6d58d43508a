"""Pictures of the report for the docs: `tox -e screenshots`, after `tox -e parity`.

The green one is of the last run. For the red one a run of its own is made, of `sms_rnn` with a
Keras side that learns at 0.98 of the rate: the fault that the README tells of.
"""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright import sync_api

from parity import cli, pairs

IMAGES = Path(__file__).parent / "images"
PAGE = Path("results/parity/report.html")
SCREEN, RED, PHONE = (1280, 740), (1280, 860), (390, 844)  # width and height, in pixels
FAULT = "tests.parity.broken_twins:slower"


def main() -> None:
    """Take every picture."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), "")
    if not chromium or not PAGE.exists():
        missing = "Chromium, on the PATH" if not chromium else f"{PAGE}: run `tox -e parity`"
        sys.exit(f"there is no {missing}")
    with tempfile.TemporaryDirectory() as folder, sync_api.sync_playwright() as driver:
        # A process of its own: the table of this one stays as it is.
        subprocess.run([sys.executable, __file__, folder], check=False)
        red = Path(folder) / "report.html"
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, page, (width, height) in (
            ("report", PAGE, SCREEN),
            ("report-phone", PAGE, PHONE),
            ("report-red", red, RED),
        ):
            tab = browser.new_page(viewport={"width": width, "height": height})
            tab.goto(page.resolve().as_uri())
            tab.screenshot(path=IMAGES / f"{name}.png")
            print(f"wrote {IMAGES / name}.png")
        browser.close()


def prove_a_fault(folder: str) -> None:
    """Write the results of a run that differs into a folder."""
    planted = dataclasses.replace(pairs.find("sms_rnn"), keras=FAULT)
    pairs._TABLE["sms_rnn"] = planted
    history = str(Path(folder) / "history.sqlite")
    sys.argv = ["parity", "run", "sms_rnn", "--steps", "20", "--engine", "graph"]
    sys.argv += ["--output", folder, "--history", history]
    cli.main()


if __name__ == "__main__":
    prove_a_fault(sys.argv[1]) if len(sys.argv) > 1 else main()
