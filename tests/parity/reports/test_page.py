from __future__ import annotations

import dataclasses
import html.parser
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parity import wire
from parity.errors import BadInput
from parity.keys import RUNGS
from parity.reports import files, page, pictures, words
from parity.results import Run
from tests.parity.samples import (
    KERNEL,
    REAL,
    TIMES,
    anchored,
    comparison,
    measured,
    named,
    outcome,
    run,
)

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), "")
WRONG = {f"gradients/{KERNEL}": np.full((3, 2), 0.75)}
PAIRS = 18  # as many as are shipped


class Links(html.parser.HTMLParser):
    """Collects what a page names, and what it points to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.targets: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.names.append(value or "")
            elif name in ("href", "src"):
                self.targets.append(value or "")


def green() -> Run:
    return run(
        named("first", outcome(comparison(), comparison(dtype="float64"))),
        named("second", outcome(measured(), comparison(dtype="float64"))),
        named("third", outcome(anchored(), comparison(dtype="float64"))),
    )


def red() -> Run:
    nothing: Any = {"differences": (), "curves": {}, "ulps": {}, "outputs": {}}
    died = dataclasses.replace(comparison(), **nothing, problem="it died")
    twins = [comparison(WRONG), comparison(WRONG, dtype="float64")]
    return run(
        named("first", outcome(comparison(), comparison(dtype="float64"))),
        named("second", outcome(*twins)),
        named("third", outcome(died)),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds the page of a green run."""
    folder = tmp_path_factory.mktemp("green")
    page.write(folder, green())
    return folder


def cells(text: str, pair: str) -> list[str]:
    """Return what the heat map says of a pair, rung by rung."""
    row = re.search(rf'<tr><th scope="row"><a href="#{pair}">.*?</tr>', text, re.DOTALL)
    assert row
    found = re.findall(r'<span class="(\w+)"[^>]*>(.*?)</span>', row[0])
    return [f"{style} {re.sub('<.*?>', '', said)}" for style, said in found]


def test_every_link_leads_somewhere(folder: Path) -> None:
    links = Links((folder / page.NAME).read_text("utf-8"))
    assert len(links.names) == len(set(links.names))
    for target in links.targets:
        if target.startswith("#"):
            assert target[1:] in links.names
        elif not target.startswith("data:"):
            assert (folder / target).is_file()
    direct = {f"#{pair}-{rung}" for pair in ("first", "second", "third") for rung in RUNGS}
    assert direct <= set(links.targets)


def test_the_page_asks_nobody_for_anything(folder: Path) -> None:
    text = (folder / page.NAME).read_text("utf-8")
    assert not re.search(r"(src|href)=.(https?:)?//|@import|url\(", text)


def test_the_first_words_are_the_verdict(folder: Path) -> None:
    text = (folder / page.NAME).read_text("utf-8")
    said = re.search(r"<h1>(.*?)</h1>", text)
    assert said
    assert said[1] == (
        "All 3 pairs agree: at every rung Keras computes what TensorFlow 1 computes."
    )


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (run(), "Nothing was compared."),
        (red(), "1 pair differs: second at gradients; 1 pair agrees; 1 pair not compared: third."),
        (
            run(*[named(f"p{i}", outcome(comparison(WRONG))) for i in range(5)]),
            "5 pairs differ: p0 at gradients, p1 at gradients, p2 at gradients and 2 more.",
        ),
    ],
)
def test_a_run_in_one_sentence(found: Run, said: str) -> None:
    assert words.sentence(found) == said


def test_the_heat_map_marks_failures_measured_bounds_and_anchors(folder: Path) -> None:
    text = (folder / page.NAME).read_text("utf-8")
    assert cells(text, "first") == ["tint0 0%"] * 12
    assert "◆" in cells(text, "second")[2 * RUNGS.index("gradients")]
    assert "▲" in cells(text, "third")[2 * RUNGS.index("curve")]
    text = page.render(folder, red())
    assert cells(text, "second") == ["tint0 0%"] * 6 + ["failed ✗"] * 2 + ["open -"] * 4
    assert cells(text, "third") == ["open -"] * 12


def test_a_failing_report_stands_before_everything_else(folder: Path) -> None:
    text = page.render(folder, red())
    assert text.index("differs at rung 4 of 6: gradients") < text.index("<table>")
    assert "it died" in text


def test_made_up_data_is_called_so_and_real_data_is_not(folder: Path) -> None:
    assert "SYNTHETIC DATA, not a real corpus: first, second, third" in page.render(folder, green())
    real = [dataclasses.replace(each, origin=REAL) for each in green().outcomes]
    assert "SYNTHETIC" not in page.render(folder, run(*real))


def test_what_a_step_costs_is_shown_where_it_was_timed(folder: Path) -> None:
    assert "What a training step costs" not in page.render(folder, green())
    timed = dataclasses.replace(outcome(comparison()), times=TIMES)
    assert "<td>keras</td><td>4.05</td><td>577</td><td>2</td>" in page.render(folder, run(timed))


def test_what_an_engine_says_cannot_become_markup(folder: Path) -> None:
    died = dataclasses.replace(comparison(), differences=(), curves={}, problem="<script>alert(1)")
    assert "<script" not in page.render(folder, run(outcome(died)))


def test_a_page_needs_no_framework(tmp_path: Path) -> None:
    files.write(tmp_path, green())
    code = (
        "import sys; sys.argv = ['parity', 'report', sys.argv[1]]\n"
        "from parity import cli\n"
        "try: cli.main()\n"
        "finally: print(*({'tensorflow', 'keras', 'tf_keras'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True)
    assert (done.returncode, done.stderr.strip()) == (0, ""), done
    assert f"wrote {tmp_path / page.NAME}" in done.stdout
    assert files.read(tmp_path).outcomes[0].pair == "first"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("", "is not whole"),
        ('{"schema": 4, "outcomes": [', "is not whole"),
        ("[]", "is no object"),
        ('{"schema": 2}', "schema 2"),
        ('{"schema": 4}', "cannot be read"),
    ],
)
def test_what_is_no_result_is_refused(tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / files.RESULTS).write_text(content)
    with pytest.raises(BadInput, match=said):
        files.read(tmp_path)


# In a real browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not CHROMIUM:
        pytest.skip("there is no Chromium on the PATH")
    from playwright import sync_api

    with sync_api.sync_playwright() as driver:
        # A container's root may not have a sandbox; the page is our own.
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Path:
    """Holds the page of as many pairs as are shipped, each with a long curve."""
    large = tmp_path_factory.mktemp("large")
    twins = [comparison(steps=360), comparison(steps=360, dtype="float64")]
    outcomes = [named(f"pair_{i}", outcome(*twins)) for i in range(PAIRS)]
    pictures.write(large, outcomes[:1])
    for each in outcomes[1:]:  # a picture weighs what the next one weighs
        shutil.copytree(large / outcomes[0].pair, large / each.pair)
    wire.write_text(large / page.NAME, page.render(large, run(*outcomes)))
    return large


@pytest.mark.browser
def test_a_large_page_opens_at_once_and_without_a_complaint(browser: Any, large: Path) -> None:
    path = large / page.NAME
    assert path.stat().st_size <= 10e6
    seconds = []
    for _ in range(5):  # the machine may be busy: the quickest is what the page costs
        tab, complaints, asked = browser.new_page(), list[str](), list[str]()
        tab.on("console", lambda message, c=complaints: c.append(message.text))
        tab.on("pageerror", lambda error, c=complaints: c.append(str(error)))
        tab.on("request", lambda request, a=asked: a.append(request.url))
        tab.goto(path.as_uri())
        took = "performance.getEntriesByType('navigation')[0].loadEventEnd"
        seconds.append(tab.evaluate(took) / 1000)
        assert complaints == []
        assert {url for url in asked if not url.startswith("data:")} == {path.as_uri()}
        tab.close()
    assert min(seconds) < 2


@pytest.mark.browser
def test_every_picture_is_seen(browser: Any, folder: Path) -> None:
    tab = browser.new_page()
    tab.goto((folder / page.NAME).as_uri())
    images = "[...document.images]"
    tab.evaluate(f"Promise.all({images}.map(i => (i.loading = 'eager', i.decode())))")
    widths = tab.evaluate(f"{images}.map(i => i.naturalWidth)")
    assert len(widths) == 3 * len(pictures.PICTURES)
    assert all(widths)
    tab.close()


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 768, 1280, 2000])
@pytest.mark.parametrize("found", [green, red])
def test_nothing_is_wider_than_the_screen(
    browser: Any, folder: Path, tmp_path: Path, width: int, found: Any
) -> None:
    path = tmp_path / page.NAME
    path.write_text(page.render(folder, found()), "utf-8")
    tab = browser.new_page(viewport={"width": width, "height": 800})
    tab.goto(path.as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    tab.close()


def test_of_very_many_pairs_those_that_differ_are_illustrated(tmp_path: Path) -> None:
    good = [named(f"pair_{i}", outcome(comparison())) for i in range(page.MOST_ILLUSTRATED)]
    bad = named("bad", outcome(comparison(WRONG)))
    assert page.illustrated(good) == good
    assert page.illustrated([*good, bad]) == [bad]
    path, drawn = page.write(tmp_path, run(*good, bad))
    assert {each.parent.name for each in drawn} == {"bad"}
    assert path.read_text("utf-8").count("only those that do not agree") == len(good)
