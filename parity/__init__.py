"""Proves that a Keras rewrite is the TensorFlow 1 model, and says why when it is not.

Importing this package imports nothing else: the TensorFlow 1.15 engine, which runs on
CPython 3.7, imports it too. What `__all__` names is imported when it is first asked for.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from parity.api import Engines, assert_parity, check, compare, harvest, shared_engines
    from parity.checked import CheckResult
    from parity.comparing import Difference
    from parity.errors import BadInput, EngineFailed, ParityError

__all__ = [
    "BadInput",
    "CheckResult",
    "Difference",
    "EngineFailed",
    "Engines",
    "ParityError",
    "assert_parity",
    "check",
    "compare",
    "harvest",
    "shared_engines",
]

_ELSEWHERE = {
    "BadInput": "errors",
    "CheckResult": "checked",
    "Difference": "comparing",
    "EngineFailed": "errors",
    "ParityError": "errors",
}

if not TYPE_CHECKING:  # or a checker would take any name for one that there is

    def __getattr__(name):
        if name not in __all__:
            raise AttributeError(f"module 'parity' has no attribute {name!r}")
        module = importlib.import_module("parity." + _ELSEWHERE.get(name, "api"))
        return getattr(module, name)


def __dir__() -> "list[str]":
    return sorted([*globals(), *__all__])
