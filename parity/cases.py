"""One question, put to every engine: the same weights, batches, order and dropout masks.

A case translates between the shared names (TensorFlow 1's) and those of each engine, so that the
runners see nothing but their own framework and the comparison sees nothing but shared names. It is
pure: it makes requests and reads answers, whoever carries them.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from datasets.dataset import Dataset
from parity import keys, wire
from parity.engines import Engine
from parity.errors import BadInput, EngineFailed
from parity.graphfile import SUFFIX
from parity.keys import RUNGS
from parity.pair import Pair, Trained
from parity.plans import Plan, make_plan, needed
from parity.rounding import twin_of
from parity.wire import FED, SEEDED, Arrays, Job, Model

DTYPES = ("float32", "float64")


@dataclasses.dataclass(frozen=True)
class Request:
    """What is asked of an engine. Plain data: whoever runs it must not matter.

    Args:
        engine: who is asked.
        job: what is asked.
        arrays: what it is asked about, in the engine's own names.
    """

    engine: Engine
    job: Job
    arrays: Mapping[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Case:
    """A pair in one dtype, with all that its engines are given.

    Args:
        pair: the pair.
        dtype: of the whole computation.
        dataset: the corpus, or the rows of it that the plan reads.
        plan: which rows are trained on when.
        seed: seed of weights, order and masks.
        start: training steps that were taken before the first one of the plan.
        weights: where training starts, under TensorFlow 1's names; empty before `led`.
        slots: of the optimizer at the start, under ``Saver``'s names; fresh ones if empty.
        masks: ``<step>/<site>`` -> bool, True where a value is kept; empty before `led`.
    """

    pair: Pair
    dtype: str
    dataset: Dataset
    plan: Plan
    seed: int = 0
    start: int = 0
    weights: Arrays = dataclasses.field(default_factory=dict)
    slots: Arrays = dataclasses.field(default_factory=dict)
    masks: Arrays = dataclasses.field(default_factory=dict)

    def lead(self, keras: Engine) -> Request:
        """Return what the leading engine is asked: its variables and the masks of every step."""
        job = Job("lead", make_model(self.pair, keras, self._hyperparameters, seed=self.seed))
        job = dataclasses.replace(job, model=dataclasses.replace(job.model, replay=SEEDED))
        return Request(
            keras, job, {**data_arrays(self.dataset, self.pair, keras), **self.plan.arrays()}
        )

    def led(self, arrays: Mapping[str, np.ndarray]) -> Case:
        """Return the case with the leader's masks, and with weights for its variables.

        Weights are drawn in float32: cast up, they are the same ones in float64.
        """
        weights = self.pair.layout.initial(wire.under(arrays, "variables"), self.seed, "float32")
        weights = {**weights, **self.dataset.weights}
        masks = wire.under(arrays, "masks")
        return dataclasses.replace(self, weights=_cast(weights, self.dtype), masks=masks)

    def in_dtype(self, dtype: str) -> Case:
        """Return the same question in another dtype; of a float32 case in float64, its truth."""
        shared = self.pair.layout.slots.shared  # TensorFlow 1 keeps these in float32, always
        own = {name: value for name, value in self.slots.items() if name not in shared}
        return dataclasses.replace(
            self,
            dtype=dtype,
            weights=_cast(self.weights, dtype),
            slots={**self.slots, **_cast(own, dtype)},
        )

    def twin(self, number: int) -> Case:
        """Return a rounding twin: every weight, and slot, moved by one unit in the last place."""
        shared = self.pair.layout.slots.shared  # float32 even in float64: no rounding of its own
        kept = {name: value for name, value in self.slots.items() if name in shared}
        return dataclasses.replace(
            self,
            weights=twin_of(self.weights, number),
            slots={**twin_of(self.slots, number), **kept},
        )

    def segment(self, after: int, steps: int, recording: Mapping[str, np.ndarray]) -> Case:
        """Return the question of some steps of this one, from a state of a reference's run.

        Args:
            after: steps that the reference had taken, counted from the start of this case.
            steps: steps to take from there.
            recording: the reference's, in shared names, with a snapshot after that step.
        """
        sizes, begin = self.plan.sizes, int(self.plan.sizes[:after].sum())
        taken, first = sizes[after : after + steps], self.start + after
        tested = self.plan.tested[
            (self.plan.tested >= first) & (self.plan.tested < first + len(taken))
        ]
        plan = Plan(self.plan.order[begin : begin + int(taken.sum())], taken, tested)
        state = wire.under(recording, f"curve/{keys.step(first)}")
        weights, slots = wire.under(state, "weights"), wire.under(state, "slots")
        if after and not weights:
            raise EngineFailed(f"no state after step {after} was handed over", "a snapshot of it")
        dataset, plan = needed(self.dataset, plan, self.seed)
        return dataclasses.replace(
            self,
            dataset=dataset,
            plan=plan,
            start=first,
            weights=weights or self.weights,
            slots=slots,
        )

    def climb(
        self, engine: Engine, rungs: tuple[str, ...] = RUNGS, snapshots: tuple[int, ...] = ()
    ) -> Request:
        """Return what an engine is asked that climbs some rungs.

        Args:
            engine: who is asked.
            rungs: which.
            snapshots: numbers of steps after which the curve keeps weights and slots.
        """
        graph = engine.family == "graph"
        seeded = engine.leads and self.dtype == "float32"
        model = make_model(self.pair, engine, self._hyperparameters, self.dtype, self.seed)
        model = dataclasses.replace(model, replay=SEEDED if seeded else FED)
        layout, slots = self.pair.layout, self.slots
        weights = self.weights if graph else layout.weights_to_keras(self.weights)
        if slots and not graph:
            slots = layout.slots_to_keras(slots, self.start)
        arrays = {
            **data_arrays(self.dataset, self.pair, engine),
            **self.plan.arrays(),
            **wire.within("weights", weights),
            **wire.within("slots", slots),
            **({} if seeded else wire.within("masks", self._masks())),
        }
        quiet = self.pair.wiring.quiet
        return Request(engine, Job("climb", model, rungs, self.start, snapshots, quiet), arrays)

    def stock(self, keras: Engine, steps: int) -> Request:
        """Return what an engine is asked that trains with the stock optimizer, all else equal."""
        plan = self.plan
        short = Plan(
            plan.order[: int(plan.sizes[:steps].sum())], plan.sizes[:steps], np.array([], np.int64)
        )
        request = dataclasses.replace(self, plan=short).climb(keras, ("curve",))
        model = with_stock_optimizer(self.pair, request.job.model)
        return dataclasses.replace(request, job=dataclasses.replace(request.job, model=model))

    def fingerprints(self) -> tuple[list[str], list[str]]:
        """Return running digests, one a step, of the batches and of the masks up to it.

        Two cases ask one question as long as these agree, and begin with the same weights.
        """
        batches, masks = hashlib.sha256(), hashlib.sha256()
        found: tuple[list[str], list[str]] = ([], [])
        for step, rows in enumerate(wire.batches(self.plan.order, self.plan.sizes)):
            for data in (self.dataset.x_train, self.dataset.y_train):
                batches.update(np.ascontiguousarray(data[rows]).tobytes())
            for name, mask in sorted(wire.under(self.masks, str(step)).items()):
                masks.update(name.encode() + np.packbits(mask).tobytes())
            for digests, total in zip(found, (batches, masks), strict=True):
                digests.append(total.hexdigest()[:16])
        return found

    @property
    def _hyperparameters(self) -> Mapping[str, Any]:
        return self.dataset.hyperparameters

    def _masks(self) -> Arrays:
        steps = {str(self.start + i) for i in range(self.plan.steps)}
        return {name: mask for name, mask in self.masks.items() if name.split("/")[0] in steps}


def make_case(
    pair: Pair, dtype: str, dataset: Dataset, steps: int | None = None, seed: int = 0
) -> Case:
    """Return the question that is put to every engine.

    Args:
        pair: the pair.
        dtype: of the whole computation.
        dataset: its corpus.
        steps: training steps of the curve; the row's own number if None, the whole published
            schedule if 0.
        seed: seed of weights, order and masks.
    """
    steps = pair.schedule.steps if steps is None else steps
    plan = make_plan(len(dataset.x_train), pair.schedule, seed, steps=steps)
    if steps:
        dataset, plan = needed(dataset, plan, seed)
    return Case(pair, dtype, dataset, plan, seed)


def make_model(
    pair: Pair,
    engine: Engine,
    hyperparameters: Mapping[str, Any],
    dtype: str = "float32",
    seed: int = 0,
) -> Model:
    """Return what an engine has to build, in that engine's own names."""
    wiring, graph = pair.wiring, engine.family == "graph"
    return Model(
        pair=pair.name,
        builder=pair.graph if graph else pair.keras,
        hyperparameters=dict(hyperparameters),
        dtype=dtype,
        taps=tuple(wiring.taps if graph else wiring.taps.values()),
        sites={site: prefix for prefix, site in wiring.dropout.items()} if graph else {},
        feeds={"train": dict(wiring.training_feeds), "eval": dict(wiring.evaluation_feeds)}
        if graph
        else {},
        metrics=wiring.metrics,
        seed=seed,
        handles=dict(wiring.handles) if graph else {},
        trains=tuple(
            [each.loss, *([each.train_op] if graph else [each.optimizer, *paths_of(pair, each)])]
            for each in wiring.trained
        ),
        carried={
            name if graph else wiring.fed[name]: tensor if graph else wiring.fed[name]
            for name, tensor in wiring.carried.items()
        },
        twin=pair.graph.endswith(SUFFIX) and dtype == "float64",
    )


def paths_of(pair: Pair, trained: Trained) -> list[str]:
    """Return the Keras weights that an optimizer trains."""
    own = set(trained.variables)
    return [path for rule in pair.layout.rules if own & set(rule.tf1) for path in rule.keras]


def with_stock_optimizer(pair: Pair, model: Model) -> Model:
    """Return the same model for a Keras engine, with the optimizer that a rewrite would pick."""
    if pair.stock is None:
        raise BadInput(
            f"pair {pair.name!r} names no stock optimizer", "one that a rewrite would pick"
        )
    rate = pair.schedule.learning_rate
    return dataclasses.replace(model, optimizer=pair.stock.optimizer, learning_rate=rate)


def to_shared(pair: Pair, engine: Engine, arrays: Mapping[str, np.ndarray]) -> Arrays:
    """Return a climb's answer under shared names, in TensorFlow 1's layout."""
    if engine.family == "graph":
        return dict(arrays)
    layout, taps = pair.layout, {k: g for g, k in pair.wiring.taps.items()}
    found: Arrays = {}
    groups: dict[str, Arrays] = {}
    for text, value in arrays.items():
        key = keys.parse(text)
        if key.is_weight or key.kind == "slots" or key.rung in ("forward", "gradients"):
            groups.setdefault(key.group, {})[key.name] = value
        else:
            found[text] = value
    for group, members in groups.items():
        key = keys.parse(f"{group}/-")
        if key.rung == "forward":
            named = {taps[name]: value for name, value in members.items()}
        elif key.rung == "gradients":
            named = layout.gradients_to_tf1(members)
        elif key.kind == "slots":
            named = layout.slots_to_tf1(members)
        else:
            named = layout.weights_to_tf1(members)
        found.update(wire.within(group, named))
    return found


def path_of(pair: Pair, text: str) -> str:
    """Return what a tensor of the reference is called in Keras, or nothing."""
    key = keys.parse(text)
    if key.rung == "forward":
        return pair.wiring.taps.get(key.name, "")
    if key.kind == "slots":
        variable, _, slot = key.name.rpartition("/")
        path = pair.layout.path_of(variable)
        return f"{path}: {pair.layout.slots.suffixes.get(slot)}" if path else ""
    return pair.layout.path_of(key.name)


def data_arrays(dataset: Dataset, pair: Pair, engine: Engine) -> Arrays:
    """Return what an engine trains and is tested on.

    Rows of several parts, a structured array, are taken apart, each part in the engine's own name.
    Where one part is left to a Keras model it stands alone, as its functions want it.
    """
    fed, graph = pair.wiring.fed, engine.family == "graph"
    found: Arrays = {}
    for name in ("x_train", "y_train", "x_test", "y_test"):
        rows = getattr(dataset, name)
        parts = {
            part if graph else fed[part]: np.ascontiguousarray(rows[part])
            for part in rows.dtype.names or ()
            if graph or fed[part]
        }
        if rows.dtype.names is None:
            found[name] = rows
        elif graph or len(parts) != 1:
            found.update(wire.within(name, parts))
        else:
            (found[name],) = parts.values()
    return found


def check_finite(arrays: Mapping[str, np.ndarray], where: str) -> None:
    """Make sure that no input is NaN or infinite: every comparison would fail for that reason.

    Raises:
        BadInput: names the first array, the element and the number of such values.
    """
    for name, value in arrays.items():
        if not np.issubdtype(value.dtype, np.number):
            raise BadInput(f"{where}: {name} holds {value.dtype}", "numbers")
        if np.issubdtype(value.dtype, np.floating) and not np.isfinite(value).all():
            bad = np.argwhere(~np.isfinite(value))
            index = tuple(int(i) for i in bad[0])
            raise BadInput(
                f"{where}: {name}{list(index)} is {value[index]}, one of {len(bad)} values that "
                "are not finite",
                "finite numbers",
                "mend the file or write it anew",
            )


def digest(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the sha256 over names, shapes, dtypes and bytes of all arrays."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        value = np.ascontiguousarray(arrays[name])
        total.update(f"{name} {value.shape} {value.dtype.str}".encode())
        total.update(value.tobytes())
    return total.hexdigest()


def _cast(arrays: Mapping[str, np.ndarray], dtype: str) -> Arrays:
    """Return arrays of floats in another dtype; a counter of steps stays what it is."""
    return {n: a.astype(dtype) if a.dtype.kind == "f" else a for n, a in arrays.items()}
