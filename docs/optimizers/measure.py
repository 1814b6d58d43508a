"""Measures what a training step costs with our optimizers, and with Keras's own: `tox -e steps`.

Of each pair three copies of its Keras model train side by side on the pair's first batch, a step
each in turn: by TensorFlow's kernels, by the formula, with the stock optimizer. What a slower
moment of the machine does to one it does to all three. Written are steps.json and the table of
docs/optimizers.md, between its two marks; tests/test_steps_page.py holds the two together.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_v2.optimizers import fused
from parity.pair import Pair
from parity.pairs import PAIRS

HERE = Path(__file__).resolve().parent
PAGE = HERE.with_suffix(".md")
KEPT = HERE / "steps.json"
BEGIN, END = "<!-- begin: steps -->", "<!-- end: steps -->"
WARM_UP, FEWEST, MOST, BUDGET = 3, 9, 201, 12.0  # rounds; seconds for the rounds of a pair


def main() -> None:
    """Measure, and write the figures and the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", nargs="*", help="Default: all whose rows name a stock optimizer.")
    chosen = parser.parse_args().pairs
    figures = []
    for row in PAIRS.values():
        if row.stock and (not chosen or row.name in chosen):
            figures.append(measure(row))
            print(table(figures[-1:]).splitlines()[-1], flush=True)
    if not chosen:
        KEPT.write_text(json.dumps(figures, indent=1) + "\n")
        before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
        text = f"{before}{BEGIN}\n{table(figures)}\n{END}{rest.partition(END)[2]}"
        PAGE.write_text(text, "utf-8")


def measure(row: Pair) -> dict[str, Any]:
    """Return the seconds of a step, and the shares of the stock optimizer's."""
    keras.backend.clear_session()
    dataset = row.data.load()
    size = row.schedule.batch_size
    x, y = dataset.x_train[:size], dataset.y_train[:size]
    assert row.stock
    stock = resolved(row.stock.optimizer)(learning_rate=row.schedule.learning_rate)
    models = {
        "kernels": built(row, dataset.hyperparameters),
        "formula": built(row, dataset.hyperparameters),
        "stock": built(row, dataset.hyperparameters, optimizer=stock),
    }
    seconds: dict[str, list[float]] = {name: [] for name in models}
    begun = time.perf_counter()
    for number in range(WARM_UP + MOST):
        if number == WARM_UP:
            begun = time.perf_counter()
        if number >= WARM_UP + FEWEST and time.perf_counter() - begun > BUDGET:
            break
        for name, model in models.items():
            with by_formula() if name == "formula" else contextlib.nullcontext():
                started = time.perf_counter()
                model.train_on_batch(x, y)
                seconds[name].append(time.perf_counter() - started)
    steps = {name: np.array(each[WARM_UP:]) for name, each in seconds.items()}
    return {
        "pair": row.name,
        "optimizer": row.stock.optimizer.rpartition(":")[2],
        "rounds": len(steps["stock"]),
        "stock_ms": float(np.median(steps["stock"]) * 1000),
        "kernels": float(np.median(steps["kernels"] / steps["stock"])),
        "formula": float(np.median(steps["formula"] / steps["stock"])),
    }


def built(row: Pair, sizes: Mapping[str, Any], **more: Any) -> Any:
    """Return a pair's compiled Keras model."""
    return resolved(row.keras)(**sizes, **more)


def resolved(path: str) -> Any:
    """Return what ``module:attribute`` names."""
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


@contextlib.contextmanager
def by_formula() -> Iterator[None]:
    """Have what is traced inside the block use no kernel."""
    possible = fused.possible
    fused.possible = lambda *_: False
    try:
        yield
    finally:
        fused.possible = possible


def table(figures: Sequence[Mapping[str, Any]]) -> str:
    """Return the figures as a table in Markdown."""
    lines = [
        "| pair | stock optimizer | a step with it | by kernels | by the formula |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for each in figures:
        lines.append(
            f"| `{each['pair']}` | {each['optimizer']} | {each['stock_ms']:.3g} ms | "
            f"{each['kernels']:.2f} | {each['formula']:.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
