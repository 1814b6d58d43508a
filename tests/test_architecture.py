"""The house: who may import whom, and that the two sides and the table match."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import datasets
from parity.engines import tf1_python
from parity.pair import Pair
from parity.pairs import PAIRS
from parity.process import PAYLOAD

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
OURS = {"datasets", "keras_v2", "legacy_graph", "parity", "tests"}
FRAMEWORKS = {"tensorflow", "keras", "tf_keras", "jax", "torch"}

# Package -> top-level names that it must not import.
FORBIDDEN = {
    "datasets": OURS - {"datasets"} | FRAMEWORKS,
    "legacy_graph": OURS - {"legacy_graph"} | FRAMEWORKS - {"tensorflow"},
    "keras_v2": OURS - {"keras_v2"} | FRAMEWORKS - {"keras"},
    "parity": {"tests", "keras_v2", "legacy_graph"},  # models are reached by name, in an engine
}

# Files that may import a framework of their own, and why.
APART = {
    "parity/runners": "what runs in an engine",
    "keras_v2/optimizers/fused.py": "TensorFlow's kernels, where TensorFlow is Keras's backend",
    "keras_v2/atoms/training.py": "a gradient within the loss, for which Keras has no function",
}

# Inside parity: each line may import only the lines above it.
LINES = (
    ("errors", "keys", "provenance", "samples", "segments", "store", "weights"),
    ("wire", "tolerances", "engines", "slots"),
    ("graphfile", "setup_tf1"),
    ("runners", "comparing", "feeds", "layout", "process", "published"),
    ("atom",),
    ("rounding", "pair", "proposals", "values"),
    ("pairs", "plans", "results", "asking", "hypotheses"),
    ("trainers",),
    ("handles",),
    ("searching",),
    ("cases", "records", "figures"),
    ("executor", "goldens", "checkpoints", "options", "findings", "moved", "history", "harvesting"),
    ("pairfile", "pairtoml"),
    ("subjects",),
    ("converting",),
    ("sides", "train", "inspecting"),
    ("judging", "locating"),
    ("checks", "counting", "studies", "clock"),
    ("verdicts", "reports", "repeats", "ties"),
    ("progress", "baselines", "runs"),
    ("checked",),
    ("api",),
    ("cli", "pytest_plugin"),
    ("__main__",),
)

# What was found, and what shows it, can be read where no engine and no framework is.
READERS = {"results", "records", "findings", "figures", "moved", "history", "reports"}
READ = READERS | {
    "errors",
    "graphfile",
    "keys",
    "wire",
    "tolerances",
    "comparing",
    "rounding",
    "published",
    "segments",
}

# These run inside the engine of TensorFlow 1.15.5, on CPython 3.7.
OLD = [
    *sorted((ROOT / "legacy_graph").rglob("*.py")),
    *sorted((ROOT / "parity" / "runners").glob("*.py")),
    *(ROOT / "parity" / f"{n}.py" for n in ("__init__", "errors", "graphfile", "keys", "wire")),
]

# A file of a side that is no model, and why.
EXEMPT = {
    "keras_v2/initializers.py": "draws first weights as TensorFlow 1 does, which has its own",
    "keras_v2/embeddings.py": "combines vectors; TensorFlow 1 has its own",
    "keras_v2/norms.py": "layers that TensorFlow 1 has in tf.layers, tf.contrib and tf.nn",
    "keras_v2/attention.py": "a decoder that TensorFlow 1 has in tf.contrib.seq2seq",
    "keras_v2/decoding.py": "a search that TensorFlow 1 has in tf.contrib.seq2seq",
    "keras_v2/constraints.py": "what weights are held to; TensorFlow 1 assigns",
    "keras_v2/resizing.py": "a layer that TensorFlow 1 has in tf.image",
    "keras_v2/losses.py": "losses that TensorFlow 1 has in tf.losses and tf.nn",
    "keras_v2/crf.py": "a field that TensorFlow 1 has in tf.contrib.crf",
    "keras_v2/ctc.py": "a loss that TensorFlow 1 has in tf.nn",
    "keras_v2/sampling.py": "losses that TensorFlow 1 has in tf.nn",
    "keras_v2/schedules.py": "rates that Keras 3 has not; TensorFlow 1 has its own",
    "keras_v2/cells.py": "cells and wrappers that Keras 3 lacks; TensorFlow 1 has its own",
    "keras_v2/masking.py": "ends a mask before the loss; TensorFlow 1 has no masks",
    "keras_v2/keras1.py": "layers and functions that Keras 1 had; TensorFlow 1 has its own",
    "legacy_graph/optimizers.py": "an optimizer that BERT brought along; Keras 3 has one here",
    "legacy_graph/cells.py": "cells that TensorFlow 1 has not; Keras 3 has its own",
    "legacy_graph/contrib_cells.py": "cells of tf.contrib, which tf.compat.v1 has not",
}


def imports(path: Path) -> set[str]:
    """Return every module that a file imports, as a dotted name, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide their direction"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def for_checkers(path: Path) -> set[str]:
    """Return what a file imports for type checkers alone: it is not imported when it runs."""
    tree = ast.parse(path.read_text("utf-8"))
    blocks = [n for n in ast.walk(tree) if isinstance(n, ast.If)]
    return {
        f"{node.module}.{alias.name}"
        for block in blocks
        if ast.unparse(block.test) == "TYPE_CHECKING"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def files_of(name: str) -> list[Path]:
    """Return the files of a module or package of parity."""
    folder = ROOT / "parity" / name
    return sorted(folder.glob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def used_by(file: Path) -> set[str]:
    """Return the modules and packages of parity that a file of it imports."""
    return {name.split(".")[1] for name in imports(file) if name.partition(".")[0] == "parity"}


def models(side: str) -> set[str]:
    files = {f"{side}/{path.name}" for path in (ROOT / side).glob("*.py")}
    return {Path(file).stem for file in files - set(EXEMPT)} - {"__init__"}


@pytest.mark.parametrize("package", FORBIDDEN)
def test_packages_import_in_one_direction(package: str) -> None:
    for path in sources(package):
        roots = {name.partition(".")[0] for name in imports(path)}
        apart = any(path.is_relative_to(ROOT / each) for each in APART)
        allowed = FRAMEWORKS if apart else set()
        assert not roots & FORBIDDEN[package] - allowed, path


def test_parity_imports_only_what_stands_above() -> None:
    above: set[str] = set()
    for line in LINES:
        for name in line:
            inside = {name} if (ROOT / "parity" / name).is_dir() else set()
            for file in files_of(name):
                assert used_by(file) <= above | inside, file
        above |= set(line)


def test_every_module_of_parity_has_its_line() -> None:
    modules = {path.stem for path in (ROOT / "parity").glob("*.py")} - {"__init__"}
    packages = {path.parent.name for path in (ROOT / "parity").glob("*/__init__.py")}
    assert {name for line in LINES for name in line} == modules | packages


def test_what_was_found_is_read_without_an_engine() -> None:
    for name in READERS:
        for file in files_of(name):
            assert used_by(file) <= READ, file
    code = f"import sys, {', '.join(f'parity.{name}' for name in sorted(READERS))}\n"
    code += "import parity.reports.tables, parity.reports.words, parity.reports.junit\n"
    code += "import parity.reports.reproduction, parity.reports.bands, parity.reports.events\n"
    code += "print(*(n for n in sys.modules if n.startswith('parity.')))"
    assert {name.split(".")[1] for name in said_by(code).split()} <= READ


def test_only_the_runners_import_frameworks() -> None:
    for path in sources("parity"):
        if not path.is_relative_to(ROOT / "parity" / "runners"):
            assert not {name.partition(".")[0] for name in imports(path)} & FRAMEWORKS, path


def test_the_command_starts_without_a_framework() -> None:
    names = sorted(FRAMEWORKS)
    code = f"import sys, parity.cli; print(*(set({names}) & set(sys.modules)))"
    assert said_by(code) == ""


def said_by(code: str) -> str:
    """Return what a fresh interpreter prints."""
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return found.stdout.strip()


def test_datasets_is_ours() -> None:
    assert Path(datasets.__file__).parent == ROOT / "datasets"


@pytest.mark.parametrize("path", OLD, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_tensorflow_1_runs_is_python_3_7(path: Path) -> None:
    ast.parse(path.read_text("utf-8"), feature_version=(3, 7))
    ours = {n for n in imports(path) - for_checkers(path) if n.partition(".")[0] in OURS}
    parts = ("errors", "graphfile", "keys", "wire", "runners")
    runnable = (*(f"parity.{part}" for part in parts), "legacy_graph")
    # `from parity import wire` is named parity.wire here.
    assert not [name for name in ours if not name.startswith(runnable)]


def test_the_payload_of_an_engine_is_what_python_3_7_runs_and_the_keras_models() -> None:
    held: set[Path] = set()
    for name in PAYLOAD:
        path = ROOT / name
        held |= set(path.rglob("*.py")) if path.is_dir() else {path}
    assert held == {*OLD, *sources("keras_v2")}


@pytest.mark.oracle
@pytest.mark.usefixtures("tf1")
def test_python_3_7_compiles_what_it_runs() -> None:
    code = "import sys\nfor path in sys.argv[1:]: compile(open(path).read(), path, 'exec')"
    python = tf1_python()
    assert python is not None
    subprocess.run([python, "-c", code, *map(str, OLD)], check=True)


def test_both_sides_and_the_table_name_the_same_models() -> None:
    named = {row.graph.partition(":")[0].partition(".")[2] for row in PAIRS.values()}
    assert models("legacy_graph") == models("keras_v2") == named


def test_exemptions_are_not_stale() -> None:
    for file in EXEMPT:
        assert (ROOT / file).exists(), f"{file} is gone: drop its exemption"
        assert Path(file).stem not in PAIRS, f"{file} is a pair: drop its exemption"


@pytest.mark.parametrize("row", PAIRS.values(), ids=lambda row: row.name)
def test_a_row_points_at_the_files_of_its_name(row: Pair) -> None:
    # A twin whose corpus is mended, not its model, has the model of the pair that it mends.
    own = (ROOT / "legacy_graph" / f"{row.name}.py").exists()
    model = row.name if own else row.name.removesuffix("_mended")
    assert row.graph.partition(":")[0] == f"legacy_graph.{model}"
    assert row.keras.partition(":")[0] == f"keras_v2.{model}"
    assert row.data.loader.startswith("datasets.")


def test_the_wheel_never_takes_the_tests_along() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wheel = config["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert sorted(wheel["packages"]) == sorted(OURS - {"tests"})
    assert set(wheel) == {"packages"}, "anything else could let other files in"


def test_no_dependency_brings_another_datasets() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    names = [line.split(">")[0].split("[")[0] for line in config["project"]["dependencies"]]
    assert not {"datasets", "tensorflow-datasets", "evaluate", "transformers"} & set(names)
