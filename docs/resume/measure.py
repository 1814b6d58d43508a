"""Measures the table of resumes in docs/convert.md: `tox -e resume`, with TensorFlow 1.15.5.

Training that is stopped at step 50, converted, and gone on with on the other side, against training
that was not interrupted. TensorFlow 1.15.5 saves and restores with its own `Saver`, in a process of
its own (graph_side.py); Keras loads and saves here, with `load_weights` and `save`; between them
stands `parity convert`. Written are resume.json and the table, between its two marks.
tests/test_resume.py measures again.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from parity import comparing, converting, pairs, rounding, subjects
from parity.cases import Request
from parity.checkpoints import open_file, tensorflow_files
from parity.comparing import Measured
from parity.converting import Options
from parity.engines import tf1_missing, tf1_python
from parity.executor import Executor
from parity.keys import Key
from parity.pair import Pair
from parity.wire import Arrays

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "convert.md"
BEGIN, END = "<!-- resumes -->", "<!-- end of resumes -->"

STOP, STEPS = 50, 150
WORDS, LENGTH, BATCH = 30, 8, 24
DTYPES = ("float32", "float64")
EXACT = 1e-12  # of a loss in float64
LINE = "curve/step_loss"  # how the harness calls the losses of a run, which has their bound


@dataclasses.dataclass(frozen=True)
class Row:
    """A pair that is stopped and gone on with, without dropout.

    Args:
        pair: its name, of a model or of an atom.
        optimizer: what trains it.
        targets: ``class``, ``one hot``, ``yes or no`` or ``numbers``.
        keras: arguments of the Keras builder besides the sizes.
    """

    pair: str
    optimizer: str
    targets: str
    keras: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def sizes(self) -> dict[str, int]:
        """What both builders are given; an atom has its sizes."""
        if pairs.find(self.pair).atom:
            return {}
        return {"vocabulary_size": WORDS, "sequence_length": LENGTH}


# Another optimizer is another row.
ROWS = (
    Row("sms_rnn", "RMSProp", "class", {"dropout_rate": 0.0}),
    Row("imdb_embedding_flatten", "RMSProp", "yes or no"),
    Row("imdb_lstm_cells", "RMSProp", "yes or no", {"dropout_rate": 0.0}),
    Row("imdb_pooling", "Adam", "one hot", {"dropout_rate": 0.0}),
    Row("imdb_bilstm", "Adam", "one hot", {"dropout_rate": 0.0}),
    # An embedding under a rate that falls twice, before the stop and after it.
    Row("momentum_sparse", "Momentum", "numbers"),
    Row("adagrad_sparse", "Adagrad", "numbers"),
    Row("adam_weight_decay_sparse", "BERT's", "numbers"),
)


def main() -> None:
    """Measure, and write the figures and the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=HERE, help="Folder for resume.json.")
    parser.add_argument("pairs", nargs="*", help="Default: all.")
    options = parser.parse_args()
    if tf1_python() is None:
        raise tf1_missing()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    figures = []
    with tempfile.TemporaryDirectory() as scratch, Executor(Path(scratch), "cpu") as executor:
        for row in ROWS:
            if not options.pairs or row.pair in options.pairs:
                folder = Path(scratch, row.pair)
                folder.mkdir()
                figures += Resume(row, folder, executor).measure()
                print(table(figures[-4:]), flush=True)
    (options.output / "resume.json").write_text(json.dumps(figures, indent=1) + "\n")
    if options.output == HERE and not options.pairs:
        page = PAGE.read_text("utf-8")
        before, _, rest = page.partition(BEGIN)
        PAGE.write_text(
            f"{before}{BEGIN}\n{table(figures)}\n{END}{rest.partition(END)[2]}", "utf-8"
        )


def share(used: float) -> str:
    """Return a share of a bound, for people."""
    return "<1%" if used < 0.005 else f"{used:.0%}"


def table(figures: Sequence[Mapping[str, Any]]) -> str:
    """Return the figures as a table in Markdown."""
    lines = [
        "| pair | optimizer | way | dtype | losses | variables | of bound | weights alone |",
        "| --- | --- | --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for each in figures:
        bare = each["without_state"]
        lines.append(
            f"| `{each['pair']}` | {each['optimizer']} | {each['way']} | {each['dtype']} | "
            f"{each['losses']:.0e} | {each['variables']:.0e} | {share(each['used'])} | "
            + (f"{bare:.0e} |" if bare is not None else "|")
        )
    return "\n".join(lines)


class Resume:
    """One pair: what both sides are given, and what they do.

    Args:
        row: which.
        folder: for checkpoints and files of weights.
        executor: asks the Keras engine where variables lie.
    """

    def __init__(self, row: Row, folder: Path, executor: Executor) -> None:
        self.row, self.folder, self.executor = row, folder, executor
        self.pair: Pair = pairs.find(row.pair)
        self.sizes = row.sizes
        self.subject = subjects.of_pair(self.pair, {**self.sizes, **row.keras})
        self.batches = batches(row.targets)
        np.savez(folder / "batches.npz", **self.batches)

    def measure(self) -> list[dict[str, Any]]:
        """Return the figures, a dict for each way and dtype."""
        whole = self._graph([self._run(dtype, dtype, saves=(0, STOP, STEPS)) for dtype in DTYPES])
        there = {dtype: self._to_keras(dtype) for dtype in DTYPES}
        bare = {dtype: self._to_keras(dtype, state=False) for dtype in DTYPES}
        kept = {dtype: self._in_keras(dtype) for dtype in DTYPES}
        runs = [self._run(f"back-{d}", d, STOP, self._at(f"keras-{d}", STOP)) for d in DTYPES]
        for side in ("float32", "keras-float32"):
            for name, prefix in self._others(side).items():
                dtype = "float64" if name == "truth" else "float32"
                runs.append(self._run(f"{name}-{side}", dtype, STOP, prefix))
        more = self._graph(runs)
        figures = []
        for dtype in DTYPES:
            uninterrupted = self._recording(dtype, whole[dtype][STOP:])
            resumed = self._recording(f"there-{dtype}", there[dtype])
            own = self._own(dtype, uninterrupted, dtype, more)
            lost = float(np.abs(bare[dtype] - whole[dtype][STOP:]).max())
            figures.append(
                self._figures("1.15.5 to Keras", dtype, uninterrupted, resumed, own, lost)
            )
            uninterrupted = self._recording(f"keras-{dtype}", kept[dtype])
            resumed = self._recording(f"back-{dtype}", more[f"back-{dtype}"])
            own = self._own(dtype, resumed, f"keras-{dtype}", more)
            figures.append(self._figures("Keras to 1.15.5", dtype, uninterrupted, resumed, own))
        return figures

    def _figures(
        self,
        way: str,
        dtype: str,
        uninterrupted: Arrays,
        resumed: Arrays,
        own: Mapping[str, Measured],
        lost: float | None = None,
    ) -> dict[str, Any]:
        """Return how far a resumed run is from an uninterrupted one, and what share that uses."""
        found = comparing.compare(uninterrupted, resumed, dtype, measured=own)
        (losses,) = (each for each in found if each.key == LINE)
        states = [each for each in found if each.key != LINE]
        if dtype == "float64":
            losses = dataclasses.replace(losses, bound=EXACT, used=losses.error / EXACT)
        return {
            "pair": self.row.pair,
            "optimizer": self.row.optimizer,
            "way": way,
            "dtype": dtype,
            "losses": losses.error,
            "variables": max(each.error for each in states),
            "used": max(each.used for each in [losses, *states]),
            "without_state": lost,
        }

    def _recording(self, name: str, losses: np.ndarray) -> Arrays:
        """Return the losses of a run, and the state that it ended in, as the harness calls them."""
        with open_file(self._at(name, STEPS)) as reader:
            state = {variable: reader.read(variable) for variable in reader.variables}
        found: Arrays = {LINE: losses.astype(np.float64)}
        for variable, value in state.items():
            kind = "weights" if self.pair.layout.path_of(variable) else "slots"
            found[f"curve/final/{kind}/{variable}"] = value
        return found

    def _own(
        self, dtype: str, first: Arrays, side: str, more: Mapping[str, np.ndarray]
    ) -> dict[str, Measured]:
        """Return what TensorFlow 1.15.5's own rounding allows, in float32."""
        if dtype == "float64":
            return {}
        others = [
            self._recording(name, losses)
            for name, losses in more.items()
            if name.endswith(f"-{side}")
            and name.startswith(("truth", "twin"))
            and name.removesuffix(f"-{side}").count("-") == name.startswith("twin")
        ]

        def floor(key: Key) -> float:
            unit = comparing.magnitude(first[str(key)]) or 1.0
            held = self.pair.layout.held(key.name)
            return rounding.floor_of(held, STEPS, unit, dtype)

        return rounding.bounds(rounding.own_rounding(first, others, dtype), len(others), floor)

    def _run(
        self,
        name: str,
        dtype: str,
        start: int = 0,
        restore: Path | None = None,
        saves: Sequence[int] = (STEPS,),
    ) -> dict[str, Any]:
        """Return a run that graph_side.py is to do."""
        return {
            "name": name,
            "dtype": dtype,
            "start": start,
            "stop": STEPS,
            "restore": str(restore or ""),
            "save": {str(step): str(self._at(name, step)) for step in saves},
        }

    def _graph(self, runs: Sequence[Mapping[str, Any]]) -> Arrays:
        """Have TensorFlow 1.15.5 do some runs; return their losses."""
        job = {
            "builder": self.pair.graph,
            "sizes": self.sizes,
            "batches": str(self.folder / "batches.npz"),
            "losses": str(self.folder / "losses.npz"),
            "runs": list(runs),
        }
        path = self.folder / "job.json"
        path.write_text(json.dumps(job))
        command = [str(tf1_python()), str(HERE / "graph_side.py"), str(path)]
        environment = os.environ | {"PYTHONPATH": str(HERE.parents[1])}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        with np.load(self.folder / "losses.npz") as losses:
            return dict(losses)

    def _to_keras(self, dtype: str, state: bool = True) -> np.ndarray:
        """Go on in Keras from the checkpoint of step 50; return the losses from there.

        Without the optimizer's state, too, to see what is lost without it.
        """
        weights = self._at(f"{dtype}{'' if state else '-bare'}", STOP).with_suffix(".weights.h5")
        self._convert(self._at(dtype, STOP), weights, Options(slots=state))
        name = f"there-{dtype}" if state else f"bare-{dtype}"
        return self._train(dtype, weights, name, (STEPS,) if state else ())

    def _in_keras(self, dtype: str) -> np.ndarray:
        """Train in Keras from the checkpoint of step 0; return the losses from step 50."""
        first = self._at(dtype, 0).with_suffix(".weights.h5")
        self._convert(self._at(dtype, 0), first)
        return self._train(dtype, first, f"keras-{dtype}", (STOP, STEPS), 0)[STOP:]

    def _train(
        self, dtype: str, weights: Path, name: str, saves: Sequence[int], start: int = STOP
    ) -> np.ndarray:
        """Train as a user of Keras does; each state that is kept becomes a checkpoint, too."""
        keras.backend.clear_session()
        keras.config.set_floatx(dtype)
        keras.config.set_dtype_policy(dtype)
        module, _, builder = self.pair.keras.partition(":")
        model = getattr(importlib.import_module(module), builder)(**self.sizes, **self.row.keras)
        # Without this, Keras would leave out the state of the optimizer, and only warn.
        model.optimizer.build(model.trainable_variables)
        model.load_weights(weights)
        losses = []
        for step in range(start, STEPS + 1):
            if step in saves:
                file = self.folder / f"{name}-{step}.keras"
                model.save(file)
                self._convert(file, self._at(name, step))
            if step < STEPS:
                x, y = self.batches["x"][step], self.batches["y"][step]
                losses.append(model.train_on_batch(x, y, return_dict=True)["loss"])
        return np.array(losses)

    def _others(self, side: str) -> dict[str, Path]:
        """Write the truth and the rounding twins of a state as checkpoints of their own."""
        found = {}
        with open_file(self._at(side, STOP)) as reader:
            state = {name: reader.read(name) for name in reader.variables}
        slots = self.pair.layout.slots
        fixed = {n: v for n, v in state.items() if n in {*slots.shared, *slots.counters}}
        moving = {n: v for n, v in state.items() if n not in fixed}
        made: dict[str, Arrays] = {"truth": {n: v.astype("float64") for n, v in moving.items()}}
        for number in range(1, rounding.TWINS + 1):
            made[f"twin-{number}"] = rounding.twin_of(moving, number)
        for name, arrays in made.items():
            found[name] = self.folder / f"{name}-{side}-start"
            with tensorflow_files.writing(found[name]) as writer:
                for variable, value in {**arrays, **fixed}.items():
                    writer.write(variable, value)
        return found

    def _convert(self, source: Path, target: Path, options: Options = Options()) -> None:  # noqa: B008  (it is frozen)
        def ask(request: Request) -> Mapping[str, np.ndarray]:
            return self.executor.submit(request, keep=False).result().arrays

        converting.convert(ask, self.subject, source, target, options)

    def _at(self, name: str, step: int) -> Path:
        return self.folder / f"{name}-{step}"


def batches(targets: str) -> Arrays:
    """Return word ids (steps, batch, time) and targets of so many batches.

    Words repeat within a batch, and the last ones hardly occur: what sparse updates get wrong.
    """
    draw = np.random.RandomState(3)
    x = np.minimum(draw.geometric(0.15, (STEPS, BATCH, LENGTH)) - 1, WORDS - 1)
    classes = (x[..., 0] + x[..., 1]) % 2  # (steps, batch)
    y = {
        "class": classes.astype(np.int32),
        "one hot": np.eye(2, dtype=np.float32)[classes],
        "yes or no": classes[..., None].astype(np.float32),
        "numbers": draw.normal(size=(STEPS, BATCH, 3)).astype(np.float32),
    }[targets]
    if targets == "numbers":
        x = x[..., :3]  # the atoms' length
    return {"x": x.astype(np.int32), "y": y}


if __name__ == "__main__":
    main()
