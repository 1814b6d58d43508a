"""What a script has saved, harvested without the script."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import parity
from parity import engines, graphfile
from parity.errors import BadInput
from parity.graphfile import Graph
from parity.harvesting import Source, harvest
from parity.process import environment_of
from tests.parity.commands import Command, error

SCRIPT = Path(__file__).parent / "scripts" / "saves.py"
STAND_IN = """
import runpy, sys
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
sys.modules["tensorflow"] = tf
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0])
"""
META = "model.ckpt-3.meta"
CHECK = ("--keras", "tests.parity.rewrites:served", "--engine", "graph")


@pytest.fixture(scope="module", params=["graph", pytest.param("tf1", marks=pytest.mark.oracle)])
def engine(request: pytest.FixtureRequest) -> engines.Engine:
    found = engines.find(request.param)
    if found.python() is None:
        pytest.skip("there is no TensorFlow 1.15.5 to ask")
    return found


@pytest.fixture(scope="module")
def saved(engine: engines.Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which a script has saved what it trained, on the engine that harvests."""
    folder = tmp_path_factory.mktemp("saved")
    code = ["-c", STAND_IN] if engine.name == "graph" else []
    environment = {**environment_of(engine, folder), "TF_USE_LEGACY_KERAS": "1"}
    command = [str(engine.python()), *code, str(SCRIPT), str(folder)]
    found = subprocess.run(command, env=environment, check=False, capture_output=True)
    assert not found.returncode, found.stderr.decode()
    return folder


@pytest.fixture(scope="module")
def step(engine: engines.Engine, saved: Path) -> Graph:
    return harvest(Source(META, folder=saved), saved / "step.graph.npz", engine)


def test_a_checkpoint_gives_the_training_step(saved: Path, step: Graph) -> None:
    (adam,) = step.optimizers
    assert (adam.kind, adam.train_op, adam.loss) == ("AdamOptimizer", "Adam", "loss:0")
    weights = {"table", "scores/kernel", "scores/bias"}
    assert set(adam.variables) == set(adam.gradients) == weights
    assert adam.gradients["table"].indices
    slots = {f"{name}/{slot}" for name in weights for slot in ("Adam", "Adam_1")}
    assert set(adam.slots) == slots | {"beta1_power", "beta2_power", "global_step"}
    reader = tf.train.load_checkpoint(str(saved / "model.ckpt-3"))
    assert {each.name for each in step.variables} == set(reader.get_variable_to_shape_map())
    for name in weights:
        np.testing.assert_array_equal(step.values[name], reader.get_tensor(name), name)
    assert [each.op for each in step.draws] == ["RandomUniform"]
    assert [each.name for each in step.outputs] == ["scores/BiasAdd:0"]


def test_what_is_read_from_ops_is_what_was_seen_when_the_script_ran(
    engine: engines.Engine, tmp_path: Path
) -> None:
    """Two optimizers, batch norm, dropout, a loop: saved where the script stood, and by it."""
    towers = SCRIPT.parent / "two_towers.py"
    code = towers.read_text("utf-8")
    initialised = "    session.run(tf.global_variables_initializer())\n"
    assert initialised in code
    saving = initialised + "    tf.train.Saver().save(session, './towers')\n"
    (tmp_path / "towers.py").write_text(code.replace(initialised, saving))
    seen = harvest(Source("towers.py", folder=tmp_path), tmp_path / "seen.graph.npz", engine)
    read = harvest(Source("towers.meta", folder=tmp_path), tmp_path / "read.graph.npz", engine)
    for one, other in zip(seen.optimizers, read.optimizers, strict=True):
        assert set(one.variables) == set(other.variables)
        variables = dataclasses.replace(other, variables=one.variables, ran=one.ran)
        assert variables == one
    for field in ("draws", "updates", "outputs", "variables"):
        assert getattr(seen, field) == getattr(read, field), field
    for name, value in seen.values.items():
        np.testing.assert_array_equal(read.values[name], value, name)


def test_its_optimizer_starts_anew_as_one_of_keras_does(step: Graph) -> None:
    assert step.values["global_step"] == 0
    assert step.values["beta1_power"] == np.float32(0.9)
    assert not step.values["table/Adam"].any()
    assert any("they start anew" in each for each in step.missing)


def test_what_it_is_fed_is_invented_and_said_to_be(step: Graph) -> None:
    assert step.invented
    words, wanted, keep = (step.feed[f"{name}:0"] for name in ("words", "wanted", "keep_prob"))
    assert (words.shape, wanted.shape, keep.shape) == ((4, 6), (4, 3), ())
    assert 0 <= words.min() <= words.max() < 20


def test_a_served_model_gives_its_signature_and_no_training(
    engine: engines.Engine, saved: Path
) -> None:
    found = harvest(Source("served", folder=saved), saved / "served.graph.npz", engine)
    assert not found.optimizers
    assert "it has no optimizer: nothing of training can be compared" in found.missing
    assert [(each.name, each.alias) for each in found.inputs] == [("ids:0", "words")]
    kinds = [(each.op, each.alias) for each in found.outputs]
    assert kinds == [("BiasAdd", ""), ("Softmax", "probabilities")]
    assert graphfile.read(str(saved / "served.graph.npz")).document == found.document


# What cannot be had. It is the same on both engines, so that one is asked.


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def save(name: str, *variables: tuple[str, list[int]], but: int = 0) -> Any:
    """Save variables; the last `but` of them are in the graph alone."""
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [None, 2], name="x")
        made = [tf.get_variable(n, size, use_resource=False) for n, size in variables]
        tf.nn.softmax(x @ made[0], name="scores")
        session.run(tf.global_variables_initializer())
        saver = tf.train.Saver(made[: len(made) - but])
        saver.save(session, str(Path(name).resolve()))
        return tf.train.export_meta_graph(saver_def=saver.as_saver_def())


def refused(code: str, **options: Any) -> BadInput:
    with pytest.raises(BadInput) as caught:
        harvest(Source(code, **options), Path("to.graph.npz"), engines.find("graph"))
    assert not Path("to.graph.npz").exists()
    return caught.value


def test_a_truncated_meta_file_is_told(here: Path) -> None:
    meta = save("model", ("kernel", [2, 3]))
    whole = Path("model.meta").read_bytes()
    Path("model.meta").write_bytes(whole[: len(whole) // 2])
    assert "model.meta cannot be read" in refused("model.meta").received
    # Cut between two of its parts, it can be read.
    Path("model.meta").write_bytes(b"")
    assert "model.meta holds no graph" in refused("model.meta").received
    for part in ("saver_def", "collection_def"):
        meta.ClearField(part)
    Path("model.meta").write_bytes(meta.SerializeToString())
    assert "does not say how its variables are restored" in refused("model.meta").received
    Path("model.meta").write_bytes(b"\xff text")
    assert "a .meta file" in refused("model.meta").expected


@pytest.mark.slow
def test_a_missing_checkpoint_is_told_and_may_be_named(here: Path) -> None:
    save("model", ("kernel", [2, 3]))
    Path("elsewhere").mkdir()
    for path in here.glob("model.*"):
        if path.suffix != ".meta":
            path.rename(here / "elsewhere" / path.name)
    assert "there is no checkpoint model" in refused("model.meta").received
    assert "--checkpoint" in refused("model.meta").mend
    source = Source("model.meta", checkpoint="elsewhere/model")
    found = harvest(source, Path("to.graph.npz"), engines.find("graph"))
    assert found.values["kernel"].shape == (2, 3)


@pytest.mark.slow
def test_a_damaged_checkpoint_is_told(here: Path) -> None:
    save("model", ("kernel", [2, 3]))
    Path("model.index").write_bytes(b"no index")
    assert "model cannot be read" in refused("model.meta").received


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (("kernel", [2, 4]), "kernel is [2, 4] in it, and [2, 3] in the graph"),
        (("kernels", [2, 3]), "kernel is not in it; did you mean 'kernels'?"),
    ],
)
def test_a_checkpoint_of_another_graph_is_told(
    here: Path, other: tuple[str, list[int]], message: str
) -> None:
    save("other", other)
    save("model", ("kernel", [2, 3]))
    found = refused("model.meta", checkpoint="other")
    assert "other is of another graph than model.meta" in found.received
    assert message in found.received


@pytest.mark.slow
def test_a_variable_that_was_not_saved_starts_as_it_is_initialised(here: Path) -> None:
    save("model", ("kernel", [2, 3]), ("bias", [3]), but=1)
    found = harvest(Source("model.meta"), Path("to.graph.npz"), engines.find("graph"))
    assert "bias: not in the checkpoint; as it is initialised" in found.missing


def test_nothing_is_run_to_restore_a_graph_but_reading_and_setting_variables(here: Path) -> None:
    meta = save("model", ("kernel", [2, 3]))
    evil = meta.graph_def.node.add(name="evil", op="WriteFile", input=["where", "where"])
    assert evil
    where = meta.graph_def.node.add(name="where", op="Const")
    where.attr["dtype"].type = tf.string.as_datatype_enum
    where.attr["value"].tensor.CopyFrom(tf.make_tensor_proto("written"))
    (restoring,) = (n for n in meta.graph_def.node if n.name == meta.saver_def.restore_op_name)
    restoring.input.append("^evil")
    Path("model.meta").write_bytes(meta.SerializeToString())
    found = refused("model.meta")
    assert "to restore model.meta it would have to run evil (WriteFile)" in found.received
    assert not Path("written").exists()


@pytest.mark.slow
def test_an_op_that_is_not_there_is_told(here: Path) -> None:
    meta = save("model", ("kernel", [2, 3]))
    meta.graph_def.node.add(name="own", op="OwnOpOfSomebody")
    Path("model.meta").write_bytes(meta.SerializeToString())
    assert "OwnOpOfSomebody" in refused("model.meta").received


def export(to: str, **signatures: Any) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [None, 2], name="x")
        kernel = tf.get_variable("kernel", [2, 3])
        y = tf.nn.softmax(x @ kernel)
        session.run(tf.global_variables_initializer())
        builder = tf.saved_model.builder.SavedModelBuilder(to)
        signature = tf.saved_model.predict_signature_def({"x": x}, {"y": y})
        known = dict.fromkeys(signatures, signature)
        builder.add_meta_graph_and_variables(session, ["serve"], known)
        builder.save()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # TensorFlow's own, of its old builder
def test_a_signature_that_is_not_there_is_told(here: Path) -> None:
    export("two", predict=1, classify=1)
    found = refused("two", signature="predct")
    assert "there is no signature 'predct'" in found.received
    assert found.mend == "did you mean 'predict'?"
    assert "serving_default" in refused("two").received
    export("none")
    assert "none has no signature" in refused("none").received
    source = Source("two", signature="classify")
    assert harvest(source, Path("to.graph.npz"), engines.find("graph")).outputs


@pytest.mark.slow
def test_a_folder_that_is_no_saved_model_is_told(here: Path) -> None:
    Path("empty").mkdir()
    assert "the folder empty holds no saved_model.pb" in refused("empty").received
    Path("empty/saved_model.pb").write_bytes(b"\xffno")
    assert "cannot be read" in refused("empty").received


@pytest.mark.parametrize("option", ["checkpoint", "signature", "fetch"])
def test_what_is_restored_has_options_that_a_script_has_not(here: Path, option: str) -> None:
    Path("script.py").touch()
    assert f"--{option} with script.py" in refused("script.py", **{option: "x"}).received


@pytest.mark.slow
def test_a_meta_file_that_gives_nothing_is_told_and_may_say_what_it_gives(here: Path) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [None, 2], name="x")
        tf.multiply(x, tf.get_variable("size", [2]), name="scaled")
        session.run(tf.global_variables_initializer())
        tf.train.Saver().save(session, str(here / "model"))
    assert "--fetch TENSOR" in refused("model.meta").mend
    assert "did you mean 'scaled:0'?" in refused("model.meta", fetch=("scald:0",)).mend
    source = Source("model.meta", fetch=("scaled:0",))
    found = harvest(source, Path("to.graph.npz"), engines.find("graph"))
    assert [each.name for each in found.outputs] == ["scaled:0"]


# By the command, up to the proof


@pytest.fixture
def folder(small: None, saved: Path, tmp_path: Path) -> None:
    """What was saved lies in the folder that the command runs in."""
    shutil.copytree(saved, tmp_path, dirs_exist_ok=True)


@pytest.mark.usefixtures("folder", "lent")
def test_a_served_model_is_proved_as_far_as_it_goes(
    engine: engines.Engine, parity: Command
) -> None:
    if engine.name != "graph":
        pytest.skip("one engine is enough")
    ended = parity("harvest", "served", "--engine", "graph", "--overwrite")
    assert ended.code == 0, ended
    shown = " ".join(ended.out.split())
    assert "ids:0 (words) Placeholder int32 (?, 6) (4, 6)" in shown
    assert "Softmax:0 (probabilities)" in shown
    assert "served was read by TensorFlow 2" in shown
    ended = parity("check", "served.graph.npz", *CHECK)
    assert ended.code == 0, ended
    assert "optimizer: none in the graph whose loss is known" in ended.out
    assert "only variables and forward were asked for: nothing of training" in ended.out
    wrong = parity("check", "served.graph.npz", "--keras", f"{CHECK[1]}_otherwise")
    assert (wrong.code, "of 6: forward" in wrong.out) == (1, True)
    assert "`mean` is wrong on right input" in wrong.out


@pytest.mark.usefixtures("folder", "lent")
def test_a_checkpoint_is_proved_through_all_rungs(engine: engines.Engine, parity: Command) -> None:
    if engine.name != "graph":
        pytest.skip("one engine is enough")
    np.savez("inputs.npz", words=np.full((5, 6), 3), keep_prob=0.5)
    ended = parity("harvest", META, "--engine", "graph", "--inputs", "inputs.npz")
    assert ended.code == 0, ended
    assert "words:0 Placeholder int32 (?, 6) (5, 6) 3" in " ".join(ended.out.split())
    wanted = parity("check", "model.ckpt-3.graph.npz", "--keras", "tests.parity.rewrites:trained")
    assert "different first sizes" in error(wanted)
    ended = parity("harvest", META, "--engine", "graph", "--overwrite")
    assert "not had: what it is fed: inputs are invented" in ended.out
    ended = parity("check", "model.ckpt-3.graph.npz", "--keras", "tests.parity.rewrites:trained")
    assert ended.code == 0, ended
    assert "SYNTHETIC DATA in place of model.ckpt-3: invented inputs" in ended.out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"wrds": np.zeros((2, 2))}, "inputs.npz: the graph has no input 'wrds'"),
        ({"x": np.zeros((2, 3))}, "x:0 has shape (2, 3); expected (any, 2)"),
        ({"x": np.array([["a", "b"]])}, "x:0 is <U1; expected float32"),
        ({"x": np.zeros((2, 2)), "x:0": np.zeros((2, 2))}, "feeds x:0 twice"),
    ],
)
def test_inputs_that_do_not_fit_are_told_and_nothing_is_left(
    here: Path, arrays: dict[str, Any], message: str
) -> None:
    save("model", ("kernel", [2, 3]))
    np.savez("inputs.npz", **arrays)
    with pytest.raises(BadInput) as caught:
        parity.harvest("model.meta", engine="graph", inputs="inputs.npz", output="to.graph.npz")
    assert message in str(caught.value)
    assert not Path("to.graph.npz").exists()


def test_inputs_of_ones_own_are_not_said_to_be_invented(here: Path) -> None:
    save("model", ("kernel", [2, 3]))
    np.savez("inputs.npz", x=np.ones((2, 2)))
    to = parity.harvest("model.meta", engine="graph", inputs="inputs.npz", output="to.graph.npz")
    found = graphfile.read(str(to))
    assert not found.invented
    assert found.feed["x:0"].tolist() == [[1, 1], [1, 1]]
