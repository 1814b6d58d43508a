"""What a run is held against: every form of a baseline, and every wrong one in one line."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path

import pytest

from parity import baselines
from parity.errors import BadInput
from parity.figures import Summary, summarize
from parity.history import History
from parity.reports import files
from parity.results import Run
from tests.parity.samples import comparison, named, outcome, run

RUN = run(outcome(comparison()))
OUTPUT = Path("results/parity")

pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))


@pytest.fixture
def history() -> History:
    return History(Path("results/history.sqlite"))


def find(text: str, history: History, *pairs: str) -> Summary:
    return baselines.find(text, history, OUTPUT, pairs or ("sms_rnn",))


def refusal(text: str, history: History, *pairs: str) -> str:
    """Return the one line that says why there is no such baseline."""
    with pytest.raises(BadInput) as caught:
        find(text, history, *pairs)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def kept(history: History, found: Run = RUN, **fields: object) -> None:
    history.append(dataclasses.replace(summarize(found, ""), **fields))  # type: ignore[arg-type]


def git(*arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *who, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def commit() -> str:
    """A commit of a new repository, called main, that holds results."""
    if not shutil.which("git"):
        pytest.skip("there is no git")
    git("init", "-b", "main")
    files.write(OUTPUT, RUN)
    git("add", "-f", str(OUTPUT / "results.json"))
    git("commit", "-m", "results")
    return git("rev-parse", "HEAD")


# What it may be


def test_a_folder_of_results(history: History) -> None:
    files.write(Path("old"), RUN)
    assert find("old", history) == summarize(RUN, "old")


def test_a_run_by_its_number(history: History) -> None:
    kept(history)
    kept(history, commit="second")
    assert find("2", history).commit == "second"


def test_last_is_the_newest_that_ended_well(history: History) -> None:
    kept(history, commit="good")
    kept(history, run(named("other", outcome(comparison()))))
    kept(history, exit_code=1)
    assert find("last", history).commit == "good"


def test_a_ref_is_a_run_of_its_commit(history: History, commit: str) -> None:
    kept(history, commit=commit[:7] + "+")
    kept(history, commit=commit[:7], version="this")
    for text in ("main", "HEAD", commit, commit[:7]):
        assert find(text, history).version == "this"


def test_a_ref_that_the_history_does_not_know_may_hold_results(
    history: History, commit: str
) -> None:
    (OUTPUT / "results.json").unlink()
    found = find("main", history)
    assert found == summarize(RUN, f"main ({commit[:8]})")


# What it must not be


def test_an_unknown_baseline_lists_what_there_may_be(history: History) -> None:
    said = refusal("nowhere", history)
    assert (
        "there is no baseline 'nowhere'; expected a folder of results, 'last', the number" in said
    )


def test_no_history_yet(history: History) -> None:
    assert "there is no history results/history.sqlite yet" in refusal("last", history)
    assert "there is no baseline '7'" in refusal("7", history)
    kept(history, exit_code=1)
    assert "no run of sms_rnn in results/history.sqlite ended with exit code 0" in refusal(
        "last", history
    )


def test_a_baseline_without_one_of_the_pairs(history: History) -> None:
    files.write(Path("old"), RUN)
    said = refusal("old", history, "sms_rnn", "deep_lstm")
    assert "the baseline old is without deep_lstm; expected a run of every pair" in said


def test_half_a_folder(history: History) -> None:
    Path("old").mkdir()
    assert "old/results.json cannot be read: No such file" in refusal("old", history)
    files.write(Path("old"), RUN)
    path = Path("old/results.json")
    path.write_text(path.read_text("utf-8")[:500], "utf-8")
    assert "old/results.json is not whole" in refusal("old", history)
    path.write_text("[]", "utf-8")
    assert "old/results.json is no object" in refusal("old", history)


def test_results_of_another_schema(history: History) -> None:
    files.write(Path("old"), RUN)
    path = Path("old/results.json")
    path.write_text(path.read_text("utf-8").replace('"schema": 4', '"schema": 3'), "utf-8")
    assert "old/results.json: these results have schema 3; expected schema 4" in refusal(
        "old", history
    )


def test_a_run_does_not_overwrite_its_own_baseline(history: History) -> None:
    files.write(OUTPUT, RUN)
    before = (OUTPUT / "results.json").read_bytes()
    assert "this run would overwrite its own baseline results/parity" in refusal(
        "results/parity", history
    )
    assert (OUTPUT / "results.json").read_bytes() == before


def test_an_ambiguous_name_says_what_it_may_be(history: History, commit: str) -> None:
    files.write(Path("main"), RUN)
    assert "the baseline 'main' is a folder and a git ref" in refusal("main", history)
    assert find("./main", history).name == "./main"
    assert find("refs/heads/main", history).name.startswith("refs/heads/main")


def test_a_commit_that_nobody_ran(history: History, commit: str) -> None:
    git("rm", "--cached", str(OUTPUT / "results.json"))
    git("commit", "-m", "without")
    assert "has no run in results/history.sqlite and no results/parity/results.json" in refusal(
        "main", history
    )


def test_a_ref_is_no_option_of_git(history: History, commit: str) -> None:
    assert "there is no baseline '--all'" in refusal("--all", history)
