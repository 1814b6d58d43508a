from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_v2.optimizers import TF1Adam
from parity import engines, graphfile, pairs
from parity.checkpoints import open_file, tensorflow_files
from parity.harvesting import Source, harvest
from parity.slots import power
from parity.wire import Arrays
from tests.conformance.tiny import labelled_words, tiny
from tests.parity import rewrites
from tests.parity.commands import Command, error

SCRIPTS = Path(__file__).parent / "scripts"
CNN = "tiny_cnn.graph.npz"
SHAPES = {
    "embedding": (30, 50),
    "rnn/basic_rnn_cell/kernel": (60, 10),
    "rnn/basic_rnn_cell/bias": (10,),
    "softmax/weight": (10, 2),
    "softmax/bias": (2,),
}

TF1 = engines.tf1_python()  # before a test's empty folder has none

pytestmark = pytest.mark.usefixtures("small", "lent")


def save(path: Path | str, arrays: Arrays) -> Path:
    with tensorflow_files.writing(Path(path)) as writer:
        for name, value in arrays.items():
            writer.write(name, value)
    return Path(path)


def values_of(path: Path | str) -> Arrays:
    with open_file(Path(path)) as reader:
        return {name: reader.read(name) for name in reader.variables}


def assert_equal(found: Arrays, expected: Arrays) -> None:
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name, strict=True)


@pytest.fixture
def sms() -> Arrays:
    """A checkpoint of sms_rnn, model.ckpt-50 in this folder."""
    draw = np.random.RandomState(0)
    arrays = {
        f"{name}{slot}": draw.rand(*shape).astype(np.float32)
        for name, shape in SHAPES.items()
        for slot in ("", "/RMSProp", "/RMSProp_1")
    }
    save("model.ckpt-50", arrays)
    return arrays


def test_a_checkpoint_goes_to_keras_and_back(parity: Command, sms: Arrays) -> None:
    ended = parity("convert", "sms_rnn", "model.ckpt-50", "model.weights.h5")
    assert ended.code == 0, ended
    assert "steps taken: 50, says the checkpoint's name" in ended.out
    assert "wrote model.weights.h5" in ended.out
    assert "model.optimizer.build(model.trainable_variables)" in ended.out
    ended = parity("convert", "sms_rnn", "model.weights.h5", "back.ckpt", "--global-step")
    assert ended.code == 0, ended
    assert "left out: rmsprop/learning_rate" in ended.out
    assert_equal(values_of("back.ckpt"), sms | {"global_step": np.asarray(50, np.int64)})
    ended = parity("convert", "sms_rnn", "back.ckpt", "model.keras")
    assert "steps taken: 50, says global_step" in ended.out
    assert "optimizer.build" not in ended.out
    model = keras.models.load_model("model.keras")
    assert int(model.optimizer.iterations) == 50
    np.testing.assert_array_equal(model.get_layer("embedding").get_weights()[0], sms["embedding"])


def test_v1_is_written_and_read(parity: Command, sms: Arrays) -> None:
    assert parity("convert", "sms_rnn", "model.ckpt-50", "model.keras").code == 0
    assert parity("convert", "sms_rnn", "model.keras", "old.ckpt", "--v1").code == 0
    assert Path("old.ckpt").is_file()
    assert_equal(values_of("old.ckpt"), sms)
    assert "TensorFlow checkpoint, V1, 15 variables" in parity("inspect", "old.ckpt").out


def test_sizes_may_be_others_than_the_corpus_has(parity: Command, sms: Arrays) -> None:
    wide = sms | {f"embedding{s}": np.ones((40, 50), "f") for s in ("", "/RMSProp", "/RMSProp_1")}
    save("wide.ckpt", wide)
    ended = parity("convert", "sms_rnn", "wide.ckpt", "wide.keras")
    assert (ended.code, Path("wide.keras").exists()) == (2, False)
    assert "(40, 50)" in error(ended)
    assert "--set NAME=VALUE" in error(ended)
    sizes = ("--set", "vocabulary_size=40", "--set", "sequence_length=8")
    ended = parity("convert", "sms_rnn", "wide.ckpt", "wide.keras", *sizes)
    assert ended.code == 0, ended
    assert "tiny" not in ended.out  # no corpus is read


def test_a_file_that_is_there_stays_unless_told(parity: Command, sms: Arrays) -> None:
    for target in ("model.keras", "back.ckpt"):
        source = "model.ckpt-50" if target == "model.keras" else "model.keras"
        assert parity("convert", "sms_rnn", source, target).code == 0
        ended = parity("convert", "sms_rnn", source, target)
        assert ended.code == 2
        assert "exists; add --overwrite to replace it" in error(ended)
        assert parity("convert", "sms_rnn", source, target, "--overwrite").code == 0


def test_both_files_of_one_side_are_refused(parity: Command, sms: Arrays) -> None:
    ended = parity("convert", "sms_rnn", "model.ckpt-50", "other.ckpt")
    assert ended.code == 2
    assert "one of the same side" in error(ended)


def test_a_checkpoint_of_another_model_is_refused(parity: Command) -> None:
    save("other.ckpt", {"dense/kernel": np.ones((3, 3), np.float32)})
    ended = parity("convert", "sms_rnn", "other.ckpt", "model.keras")
    assert ended.code == 2
    assert "not one weight of sms_rnn is in this file; it holds dense/kernel" in error(ended)
    ended = parity("convert", "sms_rn", "other.ckpt", "model.keras")
    assert "did you mean 'sms_rnn'" in error(ended)
    ended = parity("convert", "sms_rnn", "none.ckpt", "model.keras")
    assert "there is no checkpoint and no file none.ckpt" in error(ended)


def test_a_float64_checkpoint_becomes_a_float64_file(parity: Command, sms: Arrays) -> None:
    save("double.ckpt", {name: value.astype(np.float64) for name, value in sms.items()})
    assert parity("convert", "sms_rnn", "double.ckpt", "double.keras").code == 0
    assert parity("convert", "sms_rnn", "double.keras", "back.ckpt").code == 0
    assert values_of("back.ckpt")["embedding"].dtype == np.float64


def test_inspect_says_what_is_what(parity: Command, sms: Arrays) -> None:
    ended = parity("inspect", "model.ckpt-50")
    assert ended.code == 0, ended
    assert ended.out.startswith("model.ckpt-50: TensorFlow checkpoint, V2, 15 variables, 25,584")
    assert "+ /RMSProp_1" in ended.out
    assert "rule" not in ended.out
    said = " ".join(parity("inspect", "model.ckpt-50", "--pair", "sms_rnn").out.split())
    assert "embedding (30, 50) float32 variable embedding/embeddings" in said
    assert "a rule takes each of the 15" in said
    parity("convert", "sms_rnn", "model.ckpt-50", "model.keras")
    assert "layers/dense/vars/0" in parity("inspect", "model.keras").out
    said = " ".join(parity("inspect", "model.keras", "--pair", "sms_rnn").out.split())
    assert "a rule takes each of the 20" in said


def test_inspect_names_what_no_rule_takes(parity: Command, sms: Arrays) -> None:
    save("odd.ckpt", sms | {"odd[1]": np.ones(3, np.float32)})
    ended = parity("inspect", "odd.ckpt", "--pair", "sms_rnn")
    assert ended.code == 0
    assert "no rule takes 1 of 16: odd[1]" in ended.out


@pytest.fixture(scope="module")
def harvested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("harvested")
    harvest(Source(str(SCRIPTS / "tiny_cnn.py")), folder / CNN, engines.find("graph"))
    return folder


@pytest.fixture
def cnn(harvested: Path) -> Arrays:
    """A graph file in this folder, and its checkpoint after 3 steps, with its step in it."""
    shutil.copy(harvested / CNN, CNN)
    draw = np.random.RandomState(1)
    arrays: Arrays = {}
    for name, value in graphfile.read(CNN).values.items():
        arrays[name] = np.asarray(draw.rand(*value.shape), value.dtype)
    arrays["global_step"] = np.asarray(3, np.int32)
    arrays |= {f"beta{i}_power": power(base, 3) for i, base in ((1, 0.9), (2, 0.999))}
    save("cnn.ckpt", arrays)
    return arrays


def test_a_rate_that_the_script_assigns_is_left_out_and_given_back(
    parity: Command, cnn: Arrays
) -> None:
    graph = graphfile.read(CNN)
    rate = graphfile.Variable("lr", "float32", (), False, False, setting=True)
    values = {**graph.values, "lr": np.array(0.25, np.float32)}
    variables = (*graph.variables, rate)
    graphfile.write(
        "rated.graph.npz", dataclasses.replace(graph, variables=variables, values=values)
    )
    save("rated.ckpt", {**cnn, "lr": np.array(0.125, np.float32)})
    model = ("--keras", "tests.parity.rewrites:tiny_cnn")
    ended = parity("convert", "rated.graph.npz", "rated.ckpt", "rated.keras", *model)
    assert (ended.code, "left out: lr" in ended.out) == (0, True), ended
    ended = parity("convert", "rated.graph.npz", "rated.keras", "back.ckpt", *model)
    assert ended.code == 0, ended
    assert values_of("back.ckpt")["lr"] == np.float32(0.25)


def test_a_users_own_model_goes_there_and_back(parity: Command, cnn: Arrays) -> None:
    own = ("--keras", "tests.parity.rewrites:tiny_cnn")
    ended = parity("convert", CNN, "cnn.ckpt", "cnn.keras", *own)
    assert ended.code == 0, ended
    said = " ".join(ended.out.split())
    assert "conv-left/W left/kernel by name" in said
    assert "steps taken: 3, says global_step" in said
    model = keras.models.load_model("cnn.keras")
    assert int(model.optimizer.iterations) == 3
    np.testing.assert_array_equal(model.get_layer("right").get_weights()[1], cnn["conv-right/b"])
    # The file stands for the builder as well.
    ended = parity("convert", CNN, "cnn.keras", "back.ckpt", "--keras", "cnn.keras")
    assert ended.code == 0, ended
    assert_equal(values_of("back.ckpt"), cnn)
    said = " ".join(parity("inspect", "cnn.ckpt", "--pair", CNN, *own).out.split())
    assert "a rule takes each of the" in said


SAVED = """
    tf.train.Saver().save(session, "own.ckpt", step)
    feed[model.keep] = 1.0
    np.savez("scores.npz", words=feed[model.words], scores=session.run(model.scores, feed))
"""
RESTORED = """
with tf.Session() as session:
    tf.train.Saver().restore(session, "back.ckpt")
    scores = session.run(model.scores, {model.words: np.load("scores.npz")["words"], model.keep: 1})
    np.savez("again.npz", scores=scores, step=session.run(step))
"""


def ran(script: str) -> None:
    done = subprocess.run([str(TF1), script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.oracle
def test_what_an_untouched_script_saves_is_the_same_model_in_keras_and_back_in_the_script(
    parity: Command, cnn: Arrays
) -> None:
    if TF1 is None:
        pytest.skip("no TensorFlow 1.15.5 to ask")
    code = (SCRIPTS / "tiny_cnn.py").read_text("utf-8")
    Path("own.py").write_text(code + SAVED)
    ran("own.py")
    own = ("--keras", "tests.parity.rewrites:tiny_cnn")
    ended = parity("convert", CNN, "own.ckpt-100", "own.keras", *own)
    assert "steps taken: 100, says global_step" in ended.out, ended
    model = keras.models.load_model("own.keras")
    with np.load("scores.npz") as seen:
        found = model.predict_on_batch(seen["words"])
        np.testing.assert_allclose(found, seen["scores"], rtol=0, atol=1e-6)
    assert parity("convert", CNN, "own.keras", "back.ckpt", *own).code == 0
    assert_equal(values_of("back.ckpt"), values_of("own.ckpt-100"))
    definition = code.partition("random = ")[0]
    Path("again.py").write_text(definition + RESTORED)
    ran("again.py")
    with np.load("again.npz") as again, np.load("scores.npz") as seen:
        np.testing.assert_array_equal(again["scores"], seen["scores"])
        assert again["step"] == 100


def test_a_stock_adam_takes_its_powers_from_its_count(parity: Command, cnn: Arrays) -> None:
    model = rewrites.tiny_cnn()
    model.compile(keras.optimizers.Adam(0.01), model.loss)
    model.save("stock.keras")
    ended = parity("convert", CNN, "cnn.ckpt", "cnn.keras", "--keras", "stock.keras")
    assert ended.code == 0, ended
    ended = parity("convert", CNN, "cnn.keras", "back.ckpt", "--keras", "stock.keras")
    assert ended.code == 0, ended
    assert_equal(values_of("back.ckpt"), cnn)
    save("later.ckpt", cnn | {"global_step": np.asarray(9, np.int32)})
    ended = parity("convert", CNN, "later.ckpt", "later.keras", "--keras", "stock.keras")
    assert "beta1_power says 3 steps, and global_step says 9" in error(ended)


def test_a_mapping_that_check_has_kept_is_given_back(parity: Command, cnn: Arrays) -> None:
    own = ("--keras", "tests.parity.rewrites:tiny_cnn")
    assert parity("check", CNN, *own, "--save-pair", "pair.toml").code == 0
    assert '"embedding/W" = "embedding/embeddings"' in Path("pair.toml").read_text()
    assert parity("convert", "pair.toml", "cnn.ckpt", "cnn.keras").code == 0
    assert parity("convert", "pair.toml", "cnn.keras", "back.ckpt").code == 0
    assert_equal(values_of("back.ckpt"), cnn)
    text = Path("pair.toml").read_text()
    Path("wrong.toml").write_text(text.replace("embedding/embeddings", "embedding/vectors"))
    ended = parity("convert", "wrong.toml", "cnn.ckpt", "wrong.keras")
    assert (ended.code, "embedding/vectors" in error(ended)) == (2, True)
    Path("script.toml").write_text('graph = "train.py"\nkeras = "tests.parity.rewrites:tiny_cnn"')
    ended = parity("convert", "script.toml", "cnn.ckpt", "script.keras")
    assert (ended.code, "is of the script train.py" in error(ended)) == (2, True)


def test_a_pair_file_with_several_optimizers_is_refused(parity: Command, cnn: Arrays) -> None:
    models = f'graph = "{CNN}"\nkeras = "tests.parity.rewrites:tiny_cnn"\n'
    Path("pair.toml").write_text(f'{models}[train_ops]\nd = "d_optimizer"\ng = "g_optimizer"\n')
    ended = parity("convert", "pair.toml", "model.ckpt", "model.keras")
    assert ended.code == 2, ended
    assert "trained by several optimizers" in error(ended)


def test_moving_averages_go_into_an_optimizer_that_keeps_some(parity: Command, cnn: Arrays) -> None:
    model = rewrites.tiny_cnn()
    model.compile(TF1Adam(0.01, use_ema=True, ema_momentum=0.9), model.loss)
    model.save("averaging.keras")
    averages = {
        f"{name}/ExponentialMovingAverage": value + 1
        for name, value in cnn.items()
        if value.shape and "Adam" not in name
    }
    save("averaged.ckpt", cnn | averages)
    own = ("--keras", "averaging.keras")
    ended = parity("convert", CNN, "averaged.ckpt", "out.keras", *own)
    assert ended.code == 0, ended
    assert parity("convert", CNN, "out.keras", "back.ckpt", *own).code == 0
    assert_equal(values_of("back.ckpt"), cnn | averages)
    loaded = keras.models.load_model("out.keras")
    loaded.optimizer.finalize_variable_values(loaded.trainable_variables)
    np.testing.assert_array_equal(loaded.get_layer("left").get_weights()[1], cnn["conv-left/b"] + 1)


def test_a_model_that_is_not_compiled_takes_weights_alone(parity: Command, cnn: Arrays) -> None:
    model = rewrites.tiny_cnn()
    keras.Model(model.input, model.output).save("bare.keras")
    ended = parity("convert", CNN, "cnn.ckpt", "out.keras", "--keras", "bare.keras")
    assert "--no-slots" in error(ended)
    own = ("--keras", "bare.keras", "--no-slots")
    assert parity("convert", CNN, "cnn.ckpt", "out.keras", *own).code == 0
    ended = parity("convert", CNN, "out.keras", "back.ckpt", *own)
    assert ended.code == 0, ended
    weights = {n: v for n, v in cnn.items() if "Adam" not in n and v.shape}
    assert_equal(values_of("back.ckpt"), weights)


def test_what_rests_on_order_alone_is_not_used_but_what_check_has_told_is(
    parity: Command, cnn: Arrays
) -> None:
    own = ("--keras", "tests.parity.rewrites:unnamed")
    ended = parity("convert", CNN, "cnn.ckpt", "cnn.keras", *own)
    assert (ended.code, Path("cnn.keras").exists()) == (2, False)
    assert "paired by order alone: conv-left/W" in error(ended)
    said = [f"conv-{side}/{name}={path}" for side, name, path in (
        ("left", "W", "one/kernel"), ("left", "b", "one/bias"),
        ("right", "W", "two/kernel"), ("right", "b", "two/bias"),
    )]  # fmt: skip
    decided = [part for each in said for part in ("--weight", each)]
    assert parity("convert", CNN, "cnn.ckpt", "said.keras", *own, *decided).code == 0
    assert parity("check", CNN, *own, "--save-pair", "pair.toml", "--steps", "3").code == 0
    assert parity("convert", "pair.toml", "cnn.ckpt", "cnn.keras").code == 0
    one, other = (keras.models.load_model(each) for each in ("said.keras", "cnn.keras"))
    for left, right in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_pair_of_the_table_needs_no_keras_model_and_a_graph_file_does(
    parity: Command, sms: Arrays, cnn: Arrays
) -> None:
    ended = parity("convert", CNN, "cnn.ckpt", "cnn.keras")
    assert "has no Keras model; expected --keras MODULE:FUNCTION" in error(ended)
    ended = parity(
        "convert",
        "sms_rnn",
        "model.ckpt-50",
        "a.keras",
        "--keras",
        "tests.parity.rewrites:tiny_cnn",
    )
    assert "sms_rnn is a pair of the table" in error(ended)


def test_a_lambda_in_a_keras_file_is_not_run(parity: Command, sms: Arrays, tmp_path: Path) -> None:
    """Reading weights needs no model of the file; building one from it, no code of it."""
    assert parity("convert", "sms_rnn", "model.ckpt-50", "model.keras").code == 0
    with zipfile.ZipFile("model.keras") as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(content["config.json"])
    config["config"]["layers"][0]["class_name"] = "Lambda"
    content["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile("evil.keras", "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    assert parity("convert", "sms_rnn", "evil.keras", "back.ckpt").code == 0
    assert_equal(values_of("back.ckpt"), sms)


def test_the_tiny_pair_is_the_one_of_the_table() -> None:
    assert pairs.find("sms_rnn").layout == tiny("sms_rnn")[0].layout
    assert labelled_words().hyperparameters == {"vocabulary_size": 30, "sequence_length": 8}
