"""What decides an engine's answer besides its question: source files, versions, the processor.

An answer holds as long as the `digest` of its question, the `sources` of its model and the
`fingerprint` of its machine are what they were.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import os
import platform
import re
import shutil
import sys
import uuid
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

# Distributions that compute, by how their name starts: plugins and CUDA wheels count, too.
_COMPUTE = (
    "intel_tensorflow",
    "jax",
    "keras",
    "ml_dtypes",
    "numpy",
    "nvidia_",
    "tensorflow",
    "tf_keras",
    "torch",
    "triton",
)


# What stands behind one of these is not imported when the file runs.
_TYPES_ALONE = ("TYPE_CHECKING", "typing.TYPE_CHECKING")

_ENVIRONMENT = (
    "CUDA_VISIBLE_DEVICES",
    "NVIDIA_TF32_OVERRIDE",
    "OMP_NUM_THREADS",
    "ONEDNN_MAX_CPU_ISA",
    "TF_DETERMINISTIC_OPS",
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_USE_LEGACY_KERAS",
    "TF_XLA_FLAGS",
    "XLA_FLAGS",
)


# Lines of /proc/cpuinfo that tell which kernels a library picks, on x86 and on ARM.
_PROCESSOR = ("model name", "flags", "CPU implementer", "CPU part", "CPU variant", "Features")


def digest(document: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> str:
    """Return the sha256 over a document and over names, shapes, dtypes and bytes of all arrays.

    The order of keys and of arrays does not count, nor does an array's layout in memory.

    Raises:
        TypeError: `document` is not plain JSON.
        ValueError: `document` holds a number that is not finite, or an array holds objects.
    """
    total = hashlib.sha256(_canonical(document))
    for name in sorted(arrays):
        value = np.asarray(arrays[name])
        if value.dtype.hasobject:
            raise ValueError(f"{name!r} holds Python objects; expected an array of plain values")
        total.update(_canonical([name, value.shape, value.dtype.str]))
        total.update(np.ascontiguousarray(value).reshape(-1).view(np.uint8).data)
    return total.hexdigest()


def sources(builder: str, paths: Sequence[Path]) -> dict[str, str]:
    """Return the sha256 of every source file that a builder is made of.

    Nothing is imported: imports are read off the source, those inside functions too. What
    ``importlib`` is asked for at run time is not seen, nor are data files and compiled modules.

    Args:
        builder: ``module:attribute``, or the path of a graph file or a ``.keras`` file.
        paths: folders to find modules in, in the order in which Python would search them. What is
            in none of them is not followed: its distribution's version stands for it, see
            `fingerprint`. So in a ``site-packages`` only the builder's own package is followed.

    Returns:
        Name of a module -> sha256 of its file: the builder's module, the modules that it imports,
        directly or not, and the packages around them. Empty if the builder's module is not found.
    """
    if builder.endswith((".npz", ".keras")):
        module, _, saved = builder.rpartition(":")
        own = {builder: hashlib.sha256(Path(saved).read_bytes()).hexdigest()}
        return {**own, **(sources(f"{module}:", paths) if module else {})}
    start = builder.partition(":")[0]
    package = start.partition(".")[0]
    if _source(start, package, paths) is None:
        return {}
    found: dict[str, str] = {}
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if "." in name:
            waiting.append(name.rpartition(".")[0])  # importing a.b runs a, too
        file = _source(name, package, paths)
        if file is None:
            continue
        try:
            content = file.read_bytes()
        except OSError:  # the engine will say what is wrong with it
            continue
        found[name] = hashlib.sha256(content).hexdigest()
        waiting += _imports(content, name, file.name == "__init__.py")
    return dict(sorted(found.items()))


def fingerprint(python: str | None) -> dict[str, str]:
    """Return what of this machine decides the bits that an engine computes.

    That is: versions of the frameworks, variables of the environment, processor, threads, C
    library, and NVIDIA cards with their driver.

    Args:
        python: the engine's interpreter, which is not started; None for the one that runs this.

    Returns:
        Name -> value, plain words. Where no framework can be found beside `python`, such as
        behind a script that starts another machine, nothing says whether an answer still holds:
        then the fingerprint is another one in every process.
    """
    variables = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    return {**versions(python), **variables, **_machine()}


def versions(python: str | None) -> dict[str, str]:
    """Return name -> version of the distributions that compute; see `fingerprint`."""
    own = python is None or os.path.abspath(python) == os.path.abspath(sys.executable)
    folders = [Path(entry) for entry in sys.path] if own else _site_packages(str(python))
    return _distributions(folders) or {"unknown": _this_process()}


def computes(package: str) -> bool:
    """Tell whether a package is one whose version a `fingerprint` has."""
    return package.lower().startswith(_COMPUTE)


def _canonical(document: Any) -> bytes:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode() + b"\n"


def _source(name: str, package: str, paths: Sequence[Path]) -> Path | None:
    """Return the file of a module that belongs to a builder in `package`, or None."""
    for path in paths:
        if path.name in ("site-packages", "dist-packages") and name.partition(".")[0] != package:
            continue
        base = path.joinpath(*name.split("."))
        for file in (base / "__init__.py", base.with_name(base.name + ".py")):
            if file.is_file():
                return file
    return None


@functools.cache
def _imports(content: bytes, name: str, is_package: bool) -> frozenset[str]:
    """Return the modules that a file may import; ``from a import b`` gives ``a`` and ``a.b``."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape in old code is the engine's to tell
            tree = _parsed(content)
    except (SyntaxError, ValueError, RecursionError):  # the engine will say so
        return frozenset()
    found: set[str] = set()
    for node in _run(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(node, name, is_package)
            if module:
                found.add(module)
                found.update(f"{module}.{alias.name}" for alias in node.names if alias.name != "*")
    return frozenset(found)


def _run(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield the nodes of a file, but for those that type checkers alone read."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and ast.unparse(node.test) in _TYPES_ALONE:
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)


def _parsed(content: bytes) -> ast.Module:
    """Parse a file.

    CPython 3.11 counts the depth of a tree in one place for all threads, and finds the count wrong
    where another one builds a tree meanwhile, as `inspect.signature` does. The tree is right.
    """
    while True:
        try:
            return ast.parse(content)
        except SystemError:
            continue


def _absolute(node: ast.ImportFrom, name: str, is_package: bool) -> str:
    """Return the module that is imported from; empty if it lies above the top-level package."""
    parts = name.split(".")
    above = node.level - is_package if node.level else len(parts)
    base = parts[: len(parts) - above] if above <= len(parts) else []
    if node.level and not base:
        return ""
    return ".".join([*base, *([node.module] if node.module else [])])


def _site_packages(python: str) -> list[Path]:
    """Return the folders of another interpreter's distributions: those beside its ``bin``."""
    file = Path(shutil.which(python) or python).absolute()
    for prefix in (file.parent.parent, file.resolve().parent.parent):
        # A virtual environment's interpreter is a link: what it points at has other packages.
        # Its lib64 is a link to its lib.
        found = {
            folder.resolve()
            for pattern in ("lib*/python3*/*-packages", "Lib/*-packages")
            for folder in prefix.glob(pattern)
        }
        if _distributions(found):
            return sorted(found)
    return []


def _distributions(folders: Iterable[Path]) -> dict[str, str]:
    """Return name -> version of the distributions that compute; two, if an old one was left."""
    found: dict[str, list[str]] = {}
    for folder in dict.fromkeys(folders):
        for pattern in ("*.dist-info", "*.egg-info"):
            for path in folder.glob(pattern):
                name, _, version = path.stem.partition("-")
                if computes(name):
                    found.setdefault(name.lower(), []).append(version)
    return {name: " ".join(sorted(found[name])) for name in sorted(found)}


def _machine() -> dict[str, str]:
    """Return processor, threads, C library and NVIDIA cards."""
    cpuinfo = _text(Path("/proc/cpuinfo"))
    driver = Path("/proc/driver/nvidia")
    cards = [_text(file) for file in sorted(driver.glob("gpus/*/information"))]
    models = [line for card in cards for line in card.splitlines() if line.startswith("Model")]
    nvidia = "; ".join(" ".join(text.split()) for text in (_text(driver / "version"), *models))
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(cpuinfo) or platform.processor(),
        "threads": str(_threads()),
        "c library": " ".join(platform.libc_ver()).strip() or platform.release(),
        **({"nvidia": nvidia} if nvidia else {}),
    }


def _processor(cpuinfo: str) -> str:
    """Return model and digest of the instruction sets, from the text of /proc/cpuinfo."""
    known: dict[str, str] = {}
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        if key.strip() in _PROCESSOR:
            known.setdefault(key.strip(), " ".join(sorted(value.split())))
    if not known:
        return ""
    model = re.search(r"^model name\s*:\s*(.+?)\s*$", cpuinfo, re.MULTILINE)
    total = hashlib.sha256(_canonical(known)).hexdigest()[:16]
    return f"{model[1]} {total}" if model else total


def _threads() -> int:
    """Return the processors that this process may run on: a sum is split between so many."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", errors="replace")
    except OSError:
        return ""


@functools.cache
def _this_process() -> str:
    return uuid.uuid4().hex
