from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parity import provenance

ROOT = Path(__file__).resolve().parent.parent.parent


def test_a_digest_is_of_the_content_alone() -> None:
    document = {"a": 1, "b": [0.1, {"c": None}]}
    arrays = {"x": np.arange(6.0).reshape(2, 3), "y": np.array(1)}
    swapped = {"y": arrays["y"], "x": np.asfortranarray(arrays["x"])}
    first = provenance.digest(document, arrays)
    assert first == provenance.digest({"b": [0.1, {"c": None}], "a": 1}, swapped)


def test_a_digest_tells_everything_apart() -> None:
    questions: list[tuple[dict[str, Any], dict[str, np.ndarray]]] = [
        ({}, {}),
        ({"a": 1}, {}),
        ({"a": "1"}, {}),
        ({"a": 0.1}, {}),
        ({"a": np.nextafter(0.1, 1)}, {}),
        ({}, {"x": np.zeros(4, np.float32)}),
        ({}, {"y": np.zeros(4, np.float32)}),
        ({}, {"x": -np.zeros(4, np.float32)}),
        ({}, {"x": np.zeros((2, 2), np.float32)}),
        ({}, {"x": np.zeros(2)}),
        ({}, {"x": np.zeros(4, ">f4")}),
        ({}, {"x": np.zeros((4, 0), np.float32)}),
        ({}, {"x": np.array(0.0)}),
        ({}, {"x": np.array([0.0])}),
        ({}, {"x": np.array(["a"])}),
        ({}, {"x": np.zeros(4, np.float32), "y": np.zeros(4, np.float32)}),
    ]
    assert len({provenance.digest(*question) for question in questions}) == len(questions)


def test_a_digest_of_what_has_no_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="'x' holds Python objects"):
        provenance.digest({}, {"x": np.array([{}])})
    with pytest.raises(ValueError, match="JSON compliant"):
        provenance.digest({"a": float("nan")}, {})
    with pytest.raises(TypeError):
        provenance.digest({"a": object()}, {})


def write(folder: Path, files: dict[str, str]) -> None:
    for file, text in files.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


FILES = {
    "mine/__init__.py": "",
    "mine/model.py": "import numpy\nimport mine.layers as l\nfrom mine import cells, VERSION\n",
    "mine/cells.py": "def build():\n    from .deep.inner import cell\n    from . import model\n",
    "mine/layers.py": "import json\nfrom other import *\n",
    "mine/deep/__init__.py": "from ..shared import value\nfrom ....above import nothing\n",
    "mine/deep/inner.py": "cell = '\\d'\n",
    "mine/shared.py": "this is no Python\n",
    "mine/unused.py": "",
    "other.py": "",
}


def test_sources_follow_what_is_imported(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = provenance.sources("mine.model:Model", [tmp_path])
    assert list(found) == [
        "mine",
        "mine.cells",
        "mine.deep",
        "mine.deep.inner",
        "mine.layers",
        "mine.model",
        "mine.shared",
        "other",
    ]
    assert "mine.model" not in sys.modules


def test_a_changed_line_counts_for_the_builders_that_run_it(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "import b\n", "b.py": "x = 1\n", "c.py": "x = 1\n"})
    before = {name: provenance.sources(f"{name}:build", [tmp_path]) for name in "abc"}
    write(tmp_path, {"b.py": "x = 2\n"})
    after = {name: provenance.sources(f"{name}:build", [tmp_path]) for name in "abc"}
    assert [name for name in "abc" if before[name] != after[name]] == ["a", "b"]
    assert before["a"]["a"] == after["a"]["a"]


def test_what_type_checkers_alone_read_decides_nothing(tmp_path: Path) -> None:
    write(tmp_path, dict.fromkeys(("b.py", "c.py", "d.py"), ""))
    checked = "import typing\nif typing.TYPE_CHECKING:\n    import b\nelse:\n    import c\n"
    write(tmp_path, {"a.py": f"{checked}if not typing.TYPE_CHECKING:\n    import d\n"})
    assert list(provenance.sources("a:build", [tmp_path])) == ["a", "c", "d"]


def test_sources_are_searched_as_python_would(tmp_path: Path) -> None:
    write(tmp_path / "first", {"a.py": "import space.b\n", "c.py": "first = 1\n"})
    write(tmp_path / "second", {"space/b.py": "import c\n", "c.py": "second = 2\n"})
    found = provenance.sources("a:build", [tmp_path / "first", tmp_path / "second"])
    assert list(found) == ["a", "c", "space.b"]  # `space` has no __init__.py
    assert found["c"] == provenance.sources("c:build", [tmp_path / "first"])["c"]


def test_what_others_installed_is_not_followed(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    write(site, {"mine/__init__.py": "", "mine/a.py": "import mine.b, huge\n", "mine/b.py": ""})
    write(site, {"huge/__init__.py": ""})
    assert list(provenance.sources("mine.a:build", [site])) == ["mine", "mine.a", "mine.b"]


def test_a_missing_builder_has_no_sources(tmp_path: Path) -> None:
    assert provenance.sources("mine.model:Model", [tmp_path]) == {}
    assert provenance.sources("keras_v2.imdb_flatten:build_model", [tmp_path, ROOT]) != {}


def interpreter(folder: Path, *distributions: str) -> str:
    """Make what looks like a virtual environment, and return its interpreter."""
    site = folder / "lib" / "python3.7" / "site-packages"
    for distribution in distributions:
        (site / distribution).mkdir(parents=True)
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    (folder / "lib64").symlink_to("lib")
    return str(folder / "bin" / "python")


def test_a_fingerprint_reads_another_interpreters_versions(tmp_path: Path) -> None:
    python = interpreter(
        tmp_path,
        "tensorflow-1.15.5.dist-info",
        "numpy-1.18.5-py3.7.egg-info",
        "six-1.17.0.dist-info",
        "nvidia_cudnn_cu12-9.3.dist-info",
    )
    found = provenance.fingerprint(python)
    assert found["tensorflow"] == "1.15.5"
    assert found["numpy"].startswith("1.18.5")
    assert found["nvidia_cudnn_cu12"] == "9.3"
    assert "six" not in found
    assert "keras" not in found


def test_a_fingerprint_is_of_our_own_interpreter() -> None:
    found = provenance.fingerprint(None)
    assert found["numpy"] == np.__version__
    assert {"tensorflow", "keras", "tf_keras", "processor", "threads"} <= set(found)
    assert found == provenance.fingerprint(sys.executable)
    assert json.loads(json.dumps(found)) == found


def test_a_variable_that_is_empty_is_not_one_that_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    unset = provenance.fingerprint(None)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert provenance.fingerprint(None) == {**unset, "CUDA_VISIBLE_DEVICES": ""}


def test_an_interpreter_of_which_nothing_is_known_is_trusted_for_one_run(tmp_path: Path) -> None:
    python = interpreter(tmp_path)
    (tmp_path / "bin" / "python").unlink()
    (tmp_path / "bin" / "python").write_text("#!/bin/sh\n")
    found = provenance.fingerprint(python)
    assert found["unknown"] == provenance.fingerprint(python)["unknown"]
    provenance._this_process.cache_clear()
    assert found["unknown"] != provenance.fingerprint(python)["unknown"]


CPUINFO = "processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: fpu avx2\ncpu MHz\t: {}\n"


def test_a_processor_is_its_model_and_instruction_sets() -> None:
    one = provenance._processor(CPUINFO.format(2000))
    assert one.startswith("Some CPU ")
    assert one == provenance._processor(CPUINFO.format(3000).replace("fpu avx2", "avx2 fpu"))
    assert one != provenance._processor(CPUINFO.replace("avx2", "avx512f"))
    assert one != provenance._processor(CPUINFO.replace("Some", "Other"))
    arm = "Features\t: fp asimd\nCPU part\t: 0xd0c\n"
    assert provenance._processor(arm) != provenance._processor(arm.replace("0xd0c", "0xd4f"))
    assert provenance._processor("") == ""
