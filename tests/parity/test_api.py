"""The library, as a user calls it."""

from __future__ import annotations

import ast
import doctest
import inspect
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import parity
from parity import api, engines
from parity.errors import BadInput, EngineFailed
from parity.executor import Executor

SCRIPT = Path(__file__).parent / "scripts" / "tiny_cnn.py"
REWRITES = "tests.parity.rewrites"


@pytest.fixture(scope="module")
def harvested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("harvested") / "tiny_cnn.graph.npz"
    return parity.harvest(SCRIPT, engine="graph", output=to)


# The package


def test_importing_the_package_imports_nothing_else() -> None:
    code = "import sys; before = set(sys.modules); import parity; new = set(sys.modules) - before\n"
    code += "others = {n.partition('.')[0] for n in new} - sys.stdlib_module_names\n"
    code += "assert others == {'parity'}, others\n"
    code += "assert [n for n in new if n.startswith('parity')] == ['parity'], new\n"
    code += "parity.compare; assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    subprocess.run([sys.executable, "-c", code], cwd=engines.ROOT, check=True)


def test_every_public_name_is_there_for_users_and_for_type_checkers() -> None:
    tree = ast.parse(Path(str(parity.__file__)).read_text("utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    typed = {a.name: n.module for n in block.body if isinstance(n, ast.ImportFrom) for a in n.names}
    assert sorted(typed) == sorted(parity.__all__)
    for name, module in typed.items():
        assert getattr(parity, name) is getattr(sys.modules[str(module)], name)
        assert inspect.getdoc(getattr(parity, name))
    assert set(parity.__all__) <= set(dir(parity))
    with pytest.raises(AttributeError, match="'parity' has no attribute 'chek'"):
        _ = getattr(parity, "chek")  # noqa: B009  (a type checker refuses the other form)


def test_assert_parity_takes_the_arguments_of_check() -> None:
    assert inspect.signature(parity.assert_parity) == inspect.signature(parity.check)
    assert parity.assert_parity.__doc__ != parity.check.__doc__


@pytest.mark.usefixtures("small")
def test_the_examples_in_the_docstrings(harvested: Path) -> None:
    shutil.copy(SCRIPT, "train.py")
    shutil.copy(harvested, "train.graph.npz")
    names = "tiny_cnn as build_model, wrong_activation"
    Path("rewrite.py").write_text(f"from {REWRITES} import {names}\n")
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    found = [
        test
        for name in parity.__all__
        if getattr(parity, name).__module__ == api.__name__
        for test in doctest.DocTestFinder().find(getattr(parity, name), name, globs={})
        if test.examples
    ]
    assert {test.name for test in found} == {
        "assert_parity",
        "check",
        "compare",
        "harvest",
        "shared_engines",
    }
    for test in found:
        assert runner.run(test).failed == 0, test.name


# Check and harvest


@pytest.mark.usefixtures("small", "lent")
def test_a_check_is_silent_and_leaves_nothing_behind(
    harvested: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    result = parity.check(harvested, f"{REWRITES}:tiny_cnn")
    assert result.agrees
    assert capfd.readouterr() == ("", "")
    assert {path.name for path in Path().iterdir()} <= {"cache"}
    assert result.proposed.weights.entries
    page = result.save("saved")
    assert {"results.json", "junit.xml", page.name} <= {p.name for p in Path("saved").iterdir()}


@pytest.mark.usefixtures("small", "lent")
def test_who_asks_is_told_what_is_paired_before_it_is_proved(harvested: Path) -> None:
    told: list[str] = []

    class Listening(api.Silent):
        def begin(self, pair: str) -> None:
            told.append(pair)

    parity.check(
        harvested,
        f"{REWRITES}:tiny_cnn",
        output="out",
        listener=Listening(),
        tell=lambda proposed: told.append(proposed.pair.title),
    )
    assert told == [f"{SCRIPT} and {REWRITES}:tiny_cnn", "tiny_cnn"]
    assert Path("out/results.json").exists()


@pytest.mark.usefixtures("small", "lent")
def test_what_the_user_decides_is_heard(harvested: Path) -> None:
    with pytest.raises(AssertionError, match="tiny_cnn at forward"):
        parity.assert_parity(
            harvested, f"{REWRITES}:tiny_cnn", weights={"conv-left/b": "right/bias"}
        )
    with pytest.raises(BadInput, match="did you mean 'Adam'"):
        parity.check(harvested, f"{REWRITES}:tiny_cnn", optimizer="Adm")


@pytest.mark.usefixtures("small", "lent")
def test_a_pair_file_is_the_whole_question(harvested: Path) -> None:
    shutil.copy(harvested, "train.graph.npz")
    Path("parity_tests").mkdir()
    asked = {"engines": ["graph"], "save_pair": "parity_tests/cnn.toml"}
    first = parity.check("train.graph.npz", f"{REWRITES}:tiny_cnn", **asked)  # type: ignore[arg-type]
    assert first.notes == ("wrote parity_tests/cnn.toml: `parity check` of it asks all this again",)
    again = parity.assert_parity("parity_tests/cnn.toml")
    one, other = first.proposed, again.proposed
    for field in ("graph", "keras", "wiring", "layout", "schedule", "rungs"):
        assert getattr(one.pair, field) == getattr(other.pair, field), field
    assert one.said == other.said
    one_data, other_data = one.pair.data.load(), other.pair.data.load()
    assert one_data.origin == other_data.origin
    assert {path.name for path in Path().iterdir()} <= {"cache", "train.graph.npz", "parity_tests"}
    with pytest.raises(BadInput, match=r"parity_tests/cnn\.toml exists"):
        parity.check("parity_tests/cnn.toml", save_pair="parity_tests/cnn.toml")


@pytest.mark.usefixtures("small", "lent")
def test_a_script_is_harvested_where_no_graph_file_is_given() -> None:
    result = parity.check(SCRIPT, f"{REWRITES}:tiny_cnn", engines=["graph"])
    assert result.agrees
    assert dict(result.proposed.lines)["harvested"].startswith(f"{SCRIPT} on graph")
    assert {path.name for path in Path().iterdir()} <= {"cache"}


@pytest.mark.usefixtures("small", "lent")
def test_inputs_may_be_arrays_or_a_function_of_this_process(harvested: Path) -> None:
    words = np.random.RandomState(1).randint(0, 20, [24, 6])
    batch = {"words": words, "wanted": np.eye(3)[words[:, 0] % 3]}
    keras = f"{REWRITES}:tiny_cnn"
    first = parity.check(harvested, keras, inputs=batch, steps=4)
    assert first.agrees
    assert first.proposed.pair.schedule.batches == (8, 8, 8)

    def batches() -> list[dict[str, np.ndarray]]:
        return [{name: value[n : n + 5] for name, value in batch.items()} for n in (0, 5, 10)]

    second = parity.check(harvested, keras, inputs=batches, steps=2)
    assert second.agrees
    assert second.proposed.pair.schedule.batches == (5, 5)
    (lines,) = [c.curves["graph"]["curve/step_loss"] for c in second.outcome.comparisons][:1]
    assert len(lines) == 2
    with pytest.raises(BadInput, match="cannot be kept in a pair file"):
        parity.check(harvested, keras, inputs=batch, save_pair="pair.toml")


def test_shared_engines_have_one_device(executor: Executor, harvested: Path) -> None:
    shared = api.Engines(executor, "cpu", 300)
    with pytest.raises(BadInput, match="'gpu' was given with engines that run on cpu"):
        parity.check(harvested, f"{REWRITES}:tiny_cnn", device="gpu", shared=shared)


def test_logs_stay_where_an_engine_failed_and_only_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with parity.shared_engines():
        pass
    assert not list(tmp_path.iterdir())
    with parity.shared_engines() as shared:
        shared.keep_logs = True
    assert [path.name[:12] for path in tmp_path.iterdir()] == ["parity-logs-"]


# Compare


def test_arrays_are_compared_under_the_bound_of_their_rung() -> None:
    one = {"w": np.ones((2, 2), np.float32)}
    near = {"w": np.ones((2, 2), np.float32) * np.float32(1 + 3e-6)}
    assert not parity.compare(one, near)[0].passed
    assert parity.compare(one, near, rung="update")[0].passed
    assert not parity.compare(one, near, rung="update", dtype="float64")[0].passed
    assert not parity.compare(one, near, rung="variables")[0].passed


@pytest.mark.parametrize("rung", api._PREFIXES)
def test_every_rung_takes_names_of_ones_own(rung: str) -> None:
    name, values = "step 1/slots/loss", np.ones(3)
    (found,) = parity.compare({name: values}, {name: values * 2}, rung=rung)
    assert (found.rung, found.passed, found.key.endswith(name)) == (rung, False, True)


def test_names_may_be_the_suites_own() -> None:
    key = "gradients/dense/kernel"
    (found,) = parity.compare({key: [1.0]}, {key: [1.0]}, rung="")
    assert (found.key, found.passed) == (key, True)
    with pytest.raises(BadInput, match="'kernel' names no tensor of the rungs"):
        parity.compare({"kernel": [1.0]}, {"kernel": [1.0]}, rung="")


def test_a_name_of_one_side_is_a_difference() -> None:
    found = parity.compare({"a": [1.0]}, {"b": [1.0]})
    assert [d.note for d in found] == [
        "missing on the candidate's side",
        "missing on the reference's side",
    ]


@pytest.mark.parametrize(
    ("sides", "asked", "message"),
    [
        (({}, {}), {}, "there are no arrays on either side"),
        (({"a": ["x"]}, {"a": ["x"]}), {}, "'a' holds <U1; expected real numbers"),
        (({"a": [1.0]}, {"a": [1.0]}), {"rung": "foward"}, "did you mean 'forward'?"),
        (({"a": [1.0]}, {"a": [1.0]}), {"dtype": "float16"}, "there is no dtype 'float16'"),
        (
            ({"a": np.ones(1, np.float16)}, {"a": np.ones(1, np.float16)}),
            {},
            "there is no dtype 'float16'",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(
    sides: tuple[dict[str, np.ndarray], dict[str, np.ndarray]], asked: dict[str, str], message: str
) -> None:
    with pytest.raises(BadInput) as caught:
        parity.compare(*sides, **asked)  # type: ignore[arg-type]
    assert message in str(caught.value)


def test_the_errors_of_the_library_are_one_family() -> None:
    assert issubclass(parity.BadInput, parity.ParityError)
    assert parity.EngineFailed is EngineFailed
