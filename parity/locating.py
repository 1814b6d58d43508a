"""Asks a graph engine and a Keras engine what it takes to say which layers are wrong.

Only where the forward rung failed outside of training: nothing is asked where all agrees.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from parity import keys, wire
from parity.cases import Request
from parity.engines import Engine
from parity.errors import ParityError
from parity.hypotheses import Call, Layered, Trial
from parity.results import Comparison
from parity.runners.segments import described
from parity.searching import locate
from parity.segments import Segments
from parity.sides import Desk, Live, Side
from parity.values import Tensors
from parity.wire import Arrays

ROWS = 8  # of the first batch: enough to tell values apart
Found = dict[tuple[str, str], Segments]


def with_layers(found: Comparison, reference: Side, candidate: Side, known: Found) -> Comparison:
    """Return a comparison that tells which layers are wrong, if its forward rung failed.

    Args:
        found: the comparison.
        reference: who is right; a recording cannot be asked for more than was recorded.
        candidate: the Keras side.
        known: what was found of these engines in another dtype; gets what is found.
    """
    if not (isinstance(reference, Live) and isinstance(candidate, Live)):
        return found
    if reference.engine.family != "graph" or candidate.engine.family == "graph":
        return found
    parts = {keys.parse(d.key).part for d in found.failures if d.rung == "forward"}
    if "eval" not in parts:
        return found
    names = reference.name, candidate.name
    if names not in known:
        try:
            known[names] = look(reference, candidate)
        except ParityError as error:  # the difference stands, whether it can be looked into or not
            known[names] = Segments(problem=str(error))
        except Exception as error:  # of the search itself: no verdict may be lost by it
            known[names] = Segments(problem=f"{type(error).__name__}: {error}")
    return dataclasses.replace(found, segments=known[names])


def look(reference: Live, candidate: Live) -> Segments:
    """Return which layers of a Keras model are wrong on right input, in float64.

    Raises:
        ParityError: an engine could not answer, or has no float64 twin.
    """
    question = _Question(candidate.desk, candidate)
    asked = _Question(reference.desk, reference), question
    rows = ROWS
    while True:  # a model that takes its whole batch only makes both take it
        futures = [
            each.desk.put(each.request(kind, rows=np.asarray(rows)), kind)
            for each, kind in zip(asked, ("tensors", "layers"), strict=True)
        ]
        graph, keras = (future.result().arrays for future in futures)
        counts = [int(answer["rows"]) for answer in (graph, keras)]
        if counts[0] == counts[1]:
            break
        if max(counts) <= rows:
            raise ParityError(f"the engines took {counts[0]} and {counts[1]} rows of one batch")
        rows = max(counts)
    wanted = wire.under(graph, "taps")
    taps = {k: (g, wanted[g]) for g, k in reference.desk.pair.wiring.taps.items()}
    model = layered(keras, taps)
    about = described(graph)
    tensors = Tensors(wire.under(graph, "tensors"), about["parents"])
    question.rows = rows
    return Segments(locate(model, tensors, question.apply), counts[0], about["left_out"])


def layered(
    arrays: Mapping[str, np.ndarray], taps: Mapping[str, tuple[str, np.ndarray]]
) -> Layered:
    """Return a Keras engine's answer as the model that it describes.

    Args:
        arrays: the answer.
        taps: Keras layer -> what the graph has there: its name and its value.
    """
    about = described(arrays)
    return Layered(
        tuple(about["inputs"]),
        tuple(
            Call(c["name"], tuple(c["inputs"]), tuple(c["outputs"]), c["weights"])
            for c in about["calls"]
        ),
        {int(number): value for number, value in wire.under(arrays, "values").items()},
        {number: taps[layer] for layer, number in about["taps"].items()},
        tuple(about["outputs"]),
    )


class _Question:
    """What an engine is asked, beyond its climb: the same model and weights, in float64.

    Args:
        desk: asks it.
        side: whose engine and case it is.
    """

    def __init__(self, desk: Desk, side: Live) -> None:
        self.desk, self._engine = desk, side.engine
        self.rows = ROWS
        self._climb = side.case.in_dtype("float64").climb(side.engine, ())

    def request(self, kind: str, **more: np.ndarray) -> Request:
        """Return a question of some kind about the first batch."""
        engine: Engine = self._engine
        job = dataclasses.replace(self._climb.job, kind=kind)
        kept = {
            name: value
            for name, value in self._climb.arrays.items()
            if name.partition("/")[0] in ("weights", "x_train", "order", "sizes")
        }
        return Request(engine, job, {**kept, **more})

    def apply(self, trials: Sequence[Trial]) -> list[tuple[np.ndarray, ...] | None]:
        """Have layers called; None of those that cannot take what they are given."""
        given: Arrays = {
            f"given/{number}/{place}": array
            for number, trial in enumerate(trials)
            for place, array in enumerate(trial.inputs)
        }
        calls = np.array([trial.call for trial in trials])
        request = self.request("apply", rows=np.asarray(self.rows), calls=calls, **given)
        answer = self.desk.put(request, "layers fed").result().arrays
        found: list[tuple[np.ndarray, ...] | None] = []
        for number in range(len(trials)):
            names = itertools.takewhile(
                answer.__contains__, (f"{number}/{i}" for i in itertools.count())
            )
            found.append(tuple(answer[name] for name in names) or None)
        return found
