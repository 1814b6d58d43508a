"""What a user gives in the place of the script's batch."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parity import feeds
from parity.errors import BadInput
from parity.graphfile import Input
from tests.parity.test_handles import GRAPH as HANDLED

GRAPH = dataclasses.replace(
    HANDLED,
    inputs=(
        Input("words:0", "Placeholder", "int32", (None, 2), "sentences"),
        Input("labels:0", "Placeholder", "float32", (None,)),
        Input("keep:0", "Placeholder", "float32", None),
    ),
    feed={
        "words:0": np.zeros((4, 2), np.int32),
        "labels:0": np.zeros(4, np.float32),
        "keep:0": np.array(0.5, np.float32),
    },
)


def rows(count: int, start: int = 0) -> dict[str, Any]:
    words = np.arange(start, start + 2 * count).reshape(count, 2)
    return {"words": words, "labels:0": np.arange(count)}


@pytest.mark.parametrize("name", ["words:0", "words", "sentences"])
def test_an_input_is_called_by_its_tensor_its_op_or_its_signature(name: str) -> None:
    found = feeds.fed(GRAPH, {name: np.ones((4, 2), np.int64)}, "it")
    assert found.feed["words:0"].dtype == np.int32
    assert found.feed["words:0"].all()
    assert found.feed["labels:0"] is GRAPH.feed["labels:0"]
    assert found.made_by["inputs"] == "it"


def test_inputs_are_no_more_invented_once_all_are_given() -> None:
    invented = dataclasses.replace(GRAPH, invented=True)
    assert feeds.fed(invented, rows(3), "it").invented
    assert not feeds.fed(invented, {**rows(3), "keep": 1}, "it").invented


def test_many_rows_are_batches_of_the_scripts_size_in_their_order() -> None:
    found = feeds.supplied(GRAPH, rows(11), steps=20)
    assert found.sizes == (4, 4)
    assert found.graph.feed["words:0"].tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert found.rows["words:0"].shape == (8, 2)
    assert found.rows["labels:0"].tolist() == list(range(8))


@pytest.mark.parametrize("count", [2, 7])
def test_few_rows_are_one_batch(count: int) -> None:
    found = feeds.supplied(GRAPH, rows(count), steps=20)
    assert (found.sizes, len(found.graph.feed["words:0"])) == ((), count)


def test_invented_inputs_have_no_size_to_cut_to() -> None:
    found = feeds.supplied(dataclasses.replace(GRAPH, invented=True), rows(11), steps=20)
    assert (found.sizes, len(found.graph.feed["words:0"])) == ((), 11)


def test_a_file_is_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "batches.npz", **rows(8))
    assert feeds.supplied(GRAPH, tmp_path / "batches.npz", 20).sizes == (4, 4)
    np.savez(tmp_path / "empty.npz")
    with pytest.raises(BadInput, match="holds no array"):
        feeds.supplied(GRAPH, str(tmp_path / "empty.npz"), 20)


def endless() -> Iterator[dict[str, Any]]:
    for number in range(1000):
        yield {**rows(2 + number % 3, number), "keep": 0.25}


def test_a_function_gives_batches_and_no_more_than_are_needed() -> None:
    taken: list[int] = []

    def counted() -> Iterator[dict[str, Any]]:
        for number, batch in enumerate(endless()):
            taken.append(number)
            yield batch

    found = feeds.supplied(GRAPH, counted, steps=5)
    assert found.sizes == (2, 3, 4, 2, 3)
    assert taken == [0, 1, 2, 3, 4]
    assert found.graph.feed["words:0"].tolist() == [[0, 1], [2, 3]]
    assert found.graph.feed["keep:0"] == 0.25
    expected = np.concatenate([rows(2 + n % 3, n)["words"] for n in range(5)])
    np.testing.assert_array_equal(found.rows["words:0"], expected)


def test_a_function_is_named_by_its_module_which_may_lie_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_batches.py").write_text(
        "import numpy as np\n"
        "def give():\n"
        "    return [{'words': np.ones((n, 2), int), 'labels': np.ones(n)} for n in (1, 2)]\n"
    )
    monkeypatch.chdir(tmp_path)
    found = feeds.supplied(GRAPH, "own_batches:give", 20)
    assert found.sizes == (1, 2)
    assert found.graph.made_by["inputs"] == "own_batches:give"
    for said in ("own_batches:gives", "no_batches:give"):
        with pytest.raises(BadInput, match=f"inputs are '{said}'.*expected 'module:function'"):
            feeds.supplied(GRAPH, said, 20)
    with pytest.raises(BadInput, match=r"'own_batches'; expected a file ending in \.npz, or"):
        feeds.supplied(GRAPH, "own_batches", 20)


def nothing() -> list[Any]:
    return []


def arrays() -> list[Any]:
    return [np.zeros(3)]


def breaking() -> Iterator[Any]:
    yield rows(4)
    raise KeyError("corpus")


def padded_otherwise() -> list[Any]:
    open_size = [dict(rows(4), words=np.zeros((4, size), int)) for size in (2, 3)]
    return open_size


def changing() -> list[Any]:
    return [{**rows(4), "keep": keep} for keep in (0.5, 0.25)]


def incomplete() -> list[Any]:
    return [{"words": np.zeros((3, 2), int)}]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (nothing, "nothing gives no batch; expected one a training step"),
        (arrays, "arrays gives ndarray; expected batches: dicts of arrays"),
        (breaking, "breaking failed: KeyError: 'corpus'"),
        (padded_otherwise, "batch 2 of padded_otherwise: words:0 has shape (4, 3)"),
        (changing, "batch 2 of changing: keep:0 is 0.25, and was 0.5"),
        (incomplete, "batch 1 of incomplete has arrays of different first sizes"),
        (lambda: 3, "TypeError"),
    ],
)
def test_a_function_that_gives_something_else_is_told(
    function: Callable[[], Any], message: str
) -> None:
    graph = GRAPH
    if function is padded_otherwise:
        words = dataclasses.replace(GRAPH.inputs[0], shape=(None, None))
        graph = dataclasses.replace(GRAPH, inputs=(words, *GRAPH.inputs[1:]))
    with pytest.raises(BadInput) as caught:
        feeds.supplied(graph, function, 20)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"wrds": np.zeros((4, 2))}, "the inputs: the graph has no input 'wrds'"),
        ({"wrds": np.zeros((4, 2))}, "did you mean 'words'"),
        ({"words": np.zeros((4, 2), int), "words:0": np.zeros((4, 2), int)}, "feeds words:0 twice"),
        ({"words": np.zeros((4, 2))}, "words:0 is float64; expected int32"),
        ({"words": np.full((4, 2), 2**40)}, "numbers that int32 cannot hold"),
        ({"words": np.zeros((4, 3), int)}, "words:0 has shape (4, 3); expected (any, 2)"),
        ({"labels": np.array(["a"])}, "labels:0 is <U1; expected float32"),
    ],
)
def test_what_does_not_fit_the_graph_is_told(given: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput) as caught:
        feeds.supplied(GRAPH, given, 20)
    assert message in str(caught.value)
