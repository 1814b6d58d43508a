from __future__ import annotations

import dataclasses
import textwrap
from pathlib import Path

import numpy as np
import pytest

from parity import engines, graphfile
from parity.errors import BadInput, EngineFailed, ParityError
from parity.graphfile import Graph, Input, Output
from parity.harvesting import Source, harvest
from tests.parity.fakes import is_alive, wait_until

SCRIPT = Path(__file__).parent / "scripts" / "two_towers.py"
GRAPH = engines.find("graph")

BUILT = """
import tensorflow as tf
x = tf.placeholder(tf.float32, [None, 3], name="x")
loss = tf.reduce_mean(tf.layers.dense(x, 1) ** 2)
"""
TRAINS = BUILT + "train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("harvest")


@pytest.fixture(scope="module")
def towers(folder: Path) -> Graph:
    return harvest(Source(str(SCRIPT), ("7",), folder), folder / "towers.graph.npz", GRAPH)


def script(folder: Path, text: str) -> Source:
    (folder / "script.py").write_text(textwrap.dedent(text))
    return Source("script.py", (), folder)


def refused(folder: Path, text: str, timeout: float = 120) -> ParityError:
    with pytest.raises(ParityError) as caught:
        harvest(script(folder, text), folder / "to.graph.npz", GRAPH, timeout)
    assert not list(folder.glob("*.npz*"))
    return caught.value


def test_the_script_is_stopped_before_it_updates_a_weight(folder: Path, towers: Graph) -> None:
    assert not (folder / "trained").exists()
    assert not towers.values["global_step"]


def test_the_feed_is_the_scripts_own(towers: Graph) -> None:
    random = np.random.RandomState(7)
    words, wanted = random.randint(0, 11, [6, 5]), random.randint(0, 7, [6])
    assert np.array_equal(towers.feed["words:0"], words)
    assert np.array_equal(towers.feed["wanted:0"], wanted)
    assert towers.feed["training:0"] == np.array(True)
    assert Input("words:0", "Placeholder", "int32", (None, 5)) in towers.inputs


def test_optimizers_are_seen_with_what_they_differentiate_and_train(towers: Graph) -> None:
    adam, momentum = towers.optimizers
    assert (adam.kind, adam.loss, adam.ran) == ("AdamOptimizer", "loss:0", True)
    assert (momentum.kind, momentum.loss, momentum.ran) == ("MomentumOptimizer", "penalty:0", False)
    assert momentum.variables == ("table",)
    assert momentum.slots == ("table/Momentum",)
    assert set(adam.gradients) == set(adam.variables)
    assert {"global_step", "beta1_power", "classes/kernel/Adam", "classes/kernel/Adam_1"} <= set(
        adam.slots
    )


def test_variables_draws_and_updates_are_named(towers: Graph) -> None:
    names = {each.name: each for each in towers.variables}
    assert names["table"].shape == (11, 4)
    assert names["table"].trainable
    assert not names["batch_normalization/moving_mean"].trainable
    assert [(d.op, d.in_loop) for d in towers.draws] == [("RandomUniform", False)]
    assert len(towers.updates) == 2
    inputs = ("words:0", "training:0")
    assert towers.outputs == (Output("classes/BiasAdd:0", "BiasAdd", (None, 7), inputs),)
    assert not towers.missing
    assert not towers.invented


def test_a_script_that_never_trains_gives_its_graph_and_invented_inputs(tmp_path: Path) -> None:
    lookup = """
    import tensorflow as tf
    word = tf.placeholder(tf.int32, [None])
    row = tf.nn.embedding_lookup(tf.get_variable("table", [3, 2]), tf.reshape(word, [-1]))
    tf.train.AdamOptimizer().minimize(tf.reduce_sum(row))
    raise KeyError("data")
    """
    found = harvest(script(tmp_path, lookup), tmp_path / "to.graph.npz", GRAPH)
    assert "the script did not train: KeyError: 'data'" in found.missing[0]
    assert found.invented
    (word,) = found.feed.values()
    assert word.shape == (4,)
    assert set(word) <= {0, 1, 2}


def test_a_function_of_a_module_is_called(tmp_path: Path) -> None:
    (tmp_path / "models.py").write_text(
        "def train():\n" + textwrap.indent(TRAINS, "    ") + "    with tf.Session() as s:\n"
        "        s.run(tf.global_variables_initializer())\n"
        "        s.run(train, {x: [[1, 2, 3]]})\n"
    )
    found = harvest(Source("models:train", (), tmp_path), tmp_path / "to.graph.npz", GRAPH)
    assert found.feed["x:0"].tolist() == [[1, 2, 3]]


@pytest.mark.parametrize(
    ("text", "received", "mend"),
    [
        ("import sys; sys.exit(4)", "it exited with 4", "arguments after --"),
        ("input('name? ')", "it asked for input", "answers as arguments"),
        ("open('corpus.txt')", "No such file or directory: 'corpus.txt'", "--cwd"),
        ("import no_such_module", "No module named 'no_such_module'", "install what it needs"),
        ("import tensorflow.contrib.rnn", "tensorflow.contrib", "--engine tf1"),
        ("print 'two'", "is no Python 3: line 1", "2to3"),
        (BUILT, "no optimizer was seen", "harvest the code that trains"),
        ("print('line\\n' * 10**6)", "no optimizer was seen", "harvest the code that trains"),
    ],
)
def test_what_cannot_be_harvested_is_told(
    tmp_path: Path, text: str, received: str, mend: str
) -> None:
    error = refused(tmp_path, text)
    assert isinstance(error, BadInput)
    assert received in error.received
    assert mend in error.mend


def test_a_script_that_never_ends_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    error = refused(
        tmp_path,
        """
        import os, subprocess, time
        child = subprocess.Popen(["sleep", "1000"])
        open("pids", "w").write("{} {}".format(os.getpid(), child.pid))
        print("waiting")
        time.sleep(1000)
        """,
        timeout=15,
    )
    assert isinstance(error, EngineFailed)
    assert "ran for 15 s, did not train, and was ended; it last printed 'waiting'" in error.received
    assert "--timeout" in error.mend
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    wait_until(lambda: not any(map(is_alive, pids)))


def test_a_script_that_takes_its_process_down_is_told(tmp_path: Path) -> None:
    error = refused(tmp_path, "import os; print('bye'); os._exit(7)")
    assert isinstance(error, EngineFailed)
    assert "took its process down (exit code 7)" in error.received
    assert "| bye" in error.received


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (Source("none.py"), "there is no script none.py"),
        (Source("none"), "'none' cannot be harvested; expected a script's path ending in .py"),
        (Source("a:b:c"), "'a:b:c' cannot be harvested"),
        (Source("a.py", folder=Path("/nowhere")), "there is no folder /nowhere"),
    ],
)
def test_what_is_not_there_is_told_before_anything_is_started(
    source: Source, message: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=message):
        harvest(source, tmp_path / "to.graph.npz", GRAPH)


def test_the_file_reads_back(folder: Path, towers: Graph) -> None:
    again = graphfile.read(str(folder / "towers.graph.npz"))
    assert again.document == towers.document
    assert again.graph_def == towers.graph_def


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"values": {}}, "variable table has no value"),
        ({"feed": {"words:0": np.zeros([6, 4], np.int32)}}, "input words:0 has shape"),
        ({"feed": {"other:0": np.zeros(3)}}, "input other:0 is not named"),
        ({"values": {"table": np.zeros([3, 3])}}, "variable table has shape"),
    ],
)
def test_a_file_that_does_not_agree_with_itself_is_refused(
    towers: Graph, tmp_path: Path, change: dict[str, object], message: str
) -> None:
    path = str(tmp_path / "to.graph.npz")
    graphfile.write(path, dataclasses.replace(towers, **change))  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=message):
        graphfile.read(path)


def test_a_damaged_file_is_refused(folder: Path, towers: Graph, tmp_path: Path) -> None:
    whole = (folder / "towers.graph.npz").read_bytes()
    for part in (whole[: len(whole) // 2], b"", b"text"):
        (tmp_path / "part.graph.npz").write_bytes(part)
        with pytest.raises(BadInput, match="cannot be read"):
            graphfile.read(str(tmp_path / "part.graph.npz"))
    np.savez(tmp_path / "other.graph.npz", weights=np.zeros(3))
    with pytest.raises(BadInput, match="is no graph file"):
        graphfile.read(str(tmp_path / "other.graph.npz"))
