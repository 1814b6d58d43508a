"""The search for wrong layers on arrays: no engine, no framework."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from parity.hypotheses import Call, Layered, Trial
from parity.searching import locate
from parity.segments import Segment
from parity.values import Tensors

RANDOM = np.random.RandomState(0)
X = RANDOM.normal(size=(6, 4))
FIRST, SECOND, THIRD = (RANDOM.normal(size=(4, 4)) for _ in range(3))

Layer = Callable[..., np.ndarray]
Stage = tuple[str, Layer, tuple[str, ...]]  # a layer: its name, itself, and what it is fed


def dense(kernel: np.ndarray) -> Layer:
    return lambda x: np.tanh(x @ kernel)


def computed(stages: Sequence[Stage]) -> dict[str, np.ndarray]:
    """Return the value of every stage; the first one of all is fed `X`."""
    values = {"x": X}
    for name, layer, inputs in stages:
        values[name] = layer(*(values[each] for each in inputs))
    return values


class Asked:
    """A model of stages that is asked layer by layer.

    Attributes:
        trials: how often a layer was called.
    """

    def __init__(self, stages: Sequence[Stage], last: np.ndarray | None, weights: bool) -> None:
        self._stages, self.trials = stages, 0
        numbers = {name: i for i, name in enumerate(["x", *(name for name, *_ in stages)])}
        calls = tuple(
            Call(name, tuple(numbers[each] for each in inputs), (numbers[name],), weights)
            for name, _, inputs in stages
        )
        values = {numbers[name]: value for name, value in computed(stages).items()}
        end = len(stages)
        taps = {} if last is None else {end: ("tap", last)}
        self.model = Layered((0,), calls, values, taps, (end,))

    def apply(self, trials: Sequence[Trial]) -> list[tuple[np.ndarray, ...] | None]:
        self.trials += len(trials)
        found: list[tuple[np.ndarray, ...] | None] = []
        for trial in trials:
            try:
                found.append((self._stages[trial.call][1](*trial.inputs),))
            except ValueError:  # such a shape it cannot take
                found.append(None)
        return found


def search(
    graph: Sequence[Stage], keras: Sequence[Stage], tapped: bool = True, weights: bool = True
) -> tuple[dict[str, Segment], Asked]:
    """Let a model be searched for what differs from a graph."""
    tensors = computed(graph)
    del tensors["x"]
    parents = {name: [each for each in inputs if each != "x"] for name, _, inputs in graph}
    last = tensors[graph[-1][0]] if tapped else None
    asked = Asked(keras, last, weights)
    found = locate(asked.model, Tensors(tensors, parents), asked.apply)
    return {segment.layer: segment for segment in found}, asked


def verdicts(found: dict[str, Segment]) -> dict[str, str]:
    return {name: segment.verdict for name, segment in found.items()}


CHAIN: list[Stage] = [
    ("a", dense(FIRST), ("x",)),
    ("b", dense(SECOND), ("a",)),
    ("c", dense(THIRD), ("b",)),
    ("d", dense(FIRST), ("c",)),
]


def changed(stages: Sequence[Stage], **layers: Layer) -> list[Stage]:
    return [(name, layers.get(name, layer), inputs) for name, layer, inputs in stages]


def test_of_a_right_model_no_layer_is_called() -> None:
    found, asked = search(CHAIN, CHAIN)
    assert set(verdicts(found).values()) == {"right"}
    assert not any(segment.fed for segment in found.values())
    assert asked.trials == 0


@pytest.mark.parametrize("tapped", [True, False])
@pytest.mark.parametrize("wrong", ["a", "b", "c"])
def test_a_wrong_layer_is_named_and_its_echo_is_not(wrong: str, tapped: bool) -> None:
    found, _ = search(CHAIN, changed(CHAIN, **{wrong: lambda x: np.tanh(x @ FIRST.T)}), tapped)
    assert {n for n, v in verdicts(found).items() if v != "right"} == {wrong}
    assert found[wrong].tensors == (wrong,)
    assert (found[wrong].error or 0.0) > 0.1
    assert [s.fed for s in found.values()] == [name > wrong for name in "abcd"]


def test_two_wrong_layers_are_both_named() -> None:
    found, _ = search(CHAIN, changed(CHAIN, a=dense(FIRST.T), c=dense(THIRD.T)))
    assert verdicts(found) == {"a": "wrong", "b": "right", "c": "wrong", "d": "right"}


def test_of_two_in_a_row_it_is_said_that_nothing_tells_them_apart() -> None:
    found, _ = search(CHAIN, changed(CHAIN, b=dense(FIRST.T), c=dense(THIRD.T)))
    assert verdicts(found) == {"a": "right", "b": "open", "c": "open", "d": "right"}
    assert {found[name].run for name in "bc"} == {1}
    assert found["d"].run == 0


def test_the_last_layer_is_held_against_the_tap_and_not_against_all_the_graph() -> None:
    graph: list[Stage] = [("a", dense(FIRST), ("x",)), ("logits", np.exp, ("a",))]
    graph.append(("probabilities", np.cbrt, ("logits",)))
    keras: list[Stage] = [("a", dense(FIRST), ("x",)), ("out", np.exp, ("a",))]
    found, _ = search(graph, keras)
    assert verdicts(found) == {"a": "right", "out": "wrong"}
    assert (found["out"].tensors, found["out"].stops) == (("tap",), "logits")


def test_a_layer_that_stops_short_is_named_though_the_graph_has_what_it_gives() -> None:
    graph: list[Stage] = [
        ("sum", lambda x: x @ FIRST, ("x",)),
        ("relu", lambda x: np.maximum(x, 0), ("sum",)),
        ("b", dense(SECOND), ("relu",)),
        ("c", dense(THIRD), ("b",)),
    ]
    keras: list[Stage] = [
        ("a", lambda x: x @ FIRST, ("x",)),
        ("flat", lambda x: x.reshape(6, 4), ("a",)),  # moves numbers, and no more
        ("b", dense(SECOND), ("flat",)),
        ("c", dense(THIRD), ("b",)),
    ]
    found, _ = search(graph, keras)
    assert verdicts(found) == {"a": "wrong", "flat": "right", "b": "right", "c": "right"}
    assert (found["a"].stops, found["a"].tensors) == ("sum", ("relu",))


def test_an_activation_too_many_is_named_though_the_graph_has_the_same_elsewhere() -> None:
    """What it would make of another layer's sum is in the graph: that is no reason."""
    graph: list[Stage] = [
        ("a", lambda x: np.maximum(x @ FIRST, 0), ("x",)),
        ("sum", lambda x: x @ SECOND, ("a",)),
        ("b", np.tanh, ("sum",)),
        ("c", dense(THIRD), ("b",)),
    ]
    keras: list[Stage] = [
        ("a", lambda x: np.maximum(x @ FIRST, 0), ("x",)),
        ("extra", np.tanh, ("a",)),
        ("b", dense(SECOND), ("extra",)),
        ("c", dense(THIRD), ("b",)),
    ]
    found, _ = search(graph, keras, weights=False)
    assert verdicts(found) == {"a": "right", "extra": "wrong", "b": "right", "c": "right"}
    assert found["extra"].tensors == ("a",)


def test_a_layer_without_a_counterpart_is_right_if_what_is_made_of_it_is() -> None:
    """The graph takes the maximum first, and its square then; Keras the other way round."""
    graph: list[Stage] = [
        ("a", dense(FIRST), ("x",)),
        ("max", lambda x: x.max(0, keepdims=True), ("a",)),
        ("exp", np.exp, ("max",)),
    ]
    keras: list[Stage] = [
        ("a", dense(FIRST), ("x",)),
        ("exp", np.exp, ("a",)),
        ("max", lambda x: x.max(0, keepdims=True), ("exp",)),
    ]
    found, _ = search(graph, keras)
    assert set(verdicts(found).values()) == {"right"}
    assert found["exp"].tensors == ()


def test_wrong_layers_side_by_side_are_told_apart_where_they_meet() -> None:
    """Each fits in the other's place as well, until they are put together."""
    graph: list[Stage] = [
        ("left", dense(FIRST), ("x",)),
        ("right", dense(SECOND), ("x",)),
        ("most_left", lambda x: x.max(1, keepdims=True), ("left",)),
        ("most_right", lambda x: x.max(1, keepdims=True), ("right",)),
        ("both", lambda a, b: np.concatenate([a, b], 1), ("most_left", "most_right")),
        ("end", lambda x: x @ THIRD[:2], ("both",)),
    ]
    found, _ = search(graph, changed(graph, left=dense(SECOND.T), right=dense(FIRST.T)))
    wrong = {name: s.tensors for name, s in found.items() if s.verdict != "right"}
    assert wrong == {"left": ("left",), "right": ("right",)}


def test_layers_that_are_exchanged_whole_show_where_they_meet() -> None:
    """Their values are all in the graph: an exchange of what is put together looks the same."""
    graph: list[Stage] = [
        ("left", dense(FIRST), ("x",)),
        ("right", dense(SECOND), ("x",)),
        ("both", lambda a, b: np.concatenate([a, b], 1), ("left", "right")),
        ("end", lambda x: x[:, :4] @ THIRD, ("both",)),
    ]
    found, _ = search(graph, changed(graph, left=dense(SECOND), right=dense(FIRST)))
    assert {name for name, s in found.items() if s.verdict != "right"} == {"both"}


def test_a_value_of_one_number_proves_nothing() -> None:
    """A dead layer gives zeros, and the graph has zeros elsewhere."""
    graph: list[Stage] = [
        ("dead", lambda x: 0 * x, ("x",)),
        ("a", dense(FIRST), ("x",)),
        ("end", lambda a, b: a + b @ SECOND, ("dead", "a")),
    ]
    keras: list[Stage] = [("a", lambda x: 0 * x, ("x",)), ("end", lambda x: x @ SECOND, ("a",))]
    found, _ = search(graph, keras)
    assert found["a"].verdict == "wrong"
    assert found["end"].verdict == "right"


def test_a_longer_sequence_is_tried_where_a_layer_can_take_it() -> None:
    kernel = FIRST[:, :3]
    x = RANDOM.normal(size=(6, 5, 4))

    def padded(_: np.ndarray) -> np.ndarray:
        return np.concatenate([x, 9 * x[:, :1]], 1) @ kernel

    graph: list[Stage] = [
        ("a", lambda _: x @ kernel, ("x",)),
        ("end", lambda a: a.max(1) @ SECOND[:3], ("a",)),
    ]
    found, _ = search(graph, changed(graph, a=padded))
    assert verdicts(found) == {"a": "wrong", "end": "right"}
    assert (found["a"].tensors, found["a"].error) == (("a",), None)
