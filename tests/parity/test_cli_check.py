from __future__ import annotations

import json
import shutil
from pathlib import Path

import jsonschema
import keras
import numpy as np
import pytest

from parity import engines, graphfile, results
from parity.harvesting import Source, harvest
from tests.parity import rewrites
from tests.parity.commands import Command, Ended, error

SCRIPTS = Path(__file__).parent / "scripts"
SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "results.schema.json").read_text("utf-8"))
FILE = "tiny_cnn.graph.npz"
RNN = "tiny_rnn.graph.npz"
HEADS = "tiny_heads.graph.npz"

pytestmark = pytest.mark.usefixtures("small", "lent")


@pytest.fixture(scope="module")
def harvested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("harvested")
    for file in (FILE, RNN, HEADS):
        code = SCRIPTS / file.replace(".graph.npz", ".py")
        harvest(Source(str(code)), folder / file, engines.find("graph"))
    return folder


@pytest.fixture(autouse=True)
def here(small: None, harvested: Path) -> None:
    """The graph files lie in the folder that the command runs in."""
    for file in (FILE, RNN, HEADS):
        shutil.copy(harvested / file, file)


def check(parity: Command, model: str, *options: str, file: str = FILE) -> Ended:
    return parity("check", file, "--keras", f"tests.parity.rewrites:{model}", *options)


def test_an_untouched_script_and_a_keras_model_are_one_and_no_file_is_needed(
    parity: Command,
) -> None:
    ended = check(parity, "tiny_cnn")
    assert ended.code == 0, ended
    said = " ".join(ended.out.split())
    assert "embedding/W embedding/embeddings the only one of its shape" in said
    assert "conv-left/W left/kernel by name" in said
    assert "dropout: dropout/dropout/random_uniform is dropout" in said
    assert "keep:0: 0.5 in training, 1 otherwise" in said
    assert "tiny_cnn from script" in said
    assert Path("results/check/tiny_cnn/report.html").exists()


def test_a_script_is_harvested_first(parity: Command) -> None:
    ended = check(parity, "tiny_cnn", file=str(SCRIPTS / "tiny_cnn.py"))
    assert ended.code == 0, ended
    assert "tiny_cnn.py on graph: results/check/tiny_cnn/tiny_cnn.graph.npz" in ended.out
    missing = check(parity, "tiny_cnn", file="none.py")
    assert missing.code == 2
    assert "none.py" in error(missing)


def test_a_rate_that_decays_is_a_float32_number_at_every_step(parity: Command) -> None:
    code = (SCRIPTS / "tiny_rnn.py").read_text("utf-8")
    plain = "tf.train.GradientDescentOptimizer(learning_rate=0.001).minimize(loss_op)"
    assert plain in code
    rate = "tf.train.exponential_decay(0.01, counter, 3, 0.7)"
    code = code.replace(plain, f"tf.train.AdamOptimizer({rate}).minimize(loss_op, counter)")
    code = code.replace("train_op =", "counter = tf.train.get_or_create_global_step()\ntrain_op =")
    Path("decay.py").write_text(code)
    ended = check(parity, "decaying", file="decay.py")
    assert ended.code == 0, ended
    ended = check(parity, "decaying_later", file="results/check/decay/decay.graph.npz")
    assert (ended.code, "of 6: update" in ended.out) == (1, True)


def test_a_rate_that_the_script_assigns_is_no_weight(parity: Command) -> None:
    """As char-RNNs and the models of the PTB do, between two epochs."""
    code = (SCRIPTS / "tiny_rnn.py").read_text("utf-8")
    for old, new in (
        ("train_op = ", 'lr = tf.Variable(0.0, trainable=False, name="lr")\ntrain_op = '),
        ("learning_rate=0.001", "lr"),
        ("    for _ in", "    sess.run(tf.assign(lr, 0.001))\n    for _ in"),
    ):
        assert old in code
        code = code.replace(old, new)
    Path("assigned.py").write_text(code)
    ended = check(parity, "tiny_rnn", file="assigned.py")
    assert ended.code == 0, ended
    graph = graphfile.read("results/check/assigned/assigned.graph.npz")
    assert [each.name for each in graph.variables if each.setting] == ["lr"]
    assert graph.values["lr"] == np.float32(0.001)


def test_another_forget_bias_is_seen_in_the_graph(parity: Command) -> None:
    """As the models of the PTB have it."""
    code = (SCRIPTS / "tiny_rnn.py").read_text("utf-8")
    assert "forget_bias=1.0" in code
    Path("ptb.py").write_text(code.replace("forget_bias=1.0", "forget_bias=0.25"))
    ended = check(parity, "tiny_rnn", file="ptb.py")
    assert ended.code == 0, ended
    graph = graphfile.read("results/check/ptb/ptb.graph.npz")
    found = {each.name: each.forget_bias for each in graph.variables}
    assert found["rnn/basic_lstm_cell/bias"] == 0.25
    assert {value for name, value in found.items() if "lstm" not in name} == {None}


def test_moving_averages_that_follow_a_step_are_slots_of_it(parity: Command) -> None:
    code = (SCRIPTS / "tiny_rnn.py").read_text("utf-8")
    average = """
counter = tf.train.get_or_create_global_step()
average = tf.train.ExponentialMovingAverage(0.75, counter)
with tf.control_dependencies([
    tf.train.AdamOptimizer(0.01).minimize(loss_op, counter)
]):
    train_op = average.apply(tf.trainable_variables())
"""
    plain = "train_op = tf.train.GradientDescentOptimizer(learning_rate=0.001).minimize(loss_op)"
    assert plain in code
    Path("averaged.py").write_text(code.replace(plain, average))
    ended = check(parity, "averaged", file="averaged.py")
    assert ended.code == 0, ended
    graph = "results/check/averaged/averaged.graph.npz"
    (optimizer,) = graphfile.read(graph).optimizers
    assert optimizer.averages[0] == "Variable/ExponentialMovingAverage"
    wrong = check(parity, "averaged_without_a_count", file=graph)
    assert (wrong.code, "of 6: update" in wrong.out) == (1, True)


def test_what_dropout_keeps_was_a_float32_number(parity: Command) -> None:
    """0.8 is none: a float64 twin that keeps 0.8 itself would be 2e-8 off."""
    code = (SCRIPTS / "tiny_cnn.py").read_text("utf-8")
    Path("gentle.py").write_text(code.replace("model.keep: 0.5", "model.keep: 0.8"))
    assert check(parity, "gentle", file="gentle.py").code == 0
    ended = check(parity, "tiny_cnn", file="results/check/gentle/gentle.graph.npz")
    assert (ended.code, "of 6: forward" in ended.out) == (1, True)
    assert "look at         dropout and its rate" in ended.out


def test_a_cell_is_mapped_whole_and_a_stock_optimizer_steps_as_float32_did(
    parity: Command,
) -> None:
    ended = check(parity, "tiny_rnn", file=RNN)
    assert ended.code == 0, ended
    assert "rnn/basic_lstm_cell/kernel lstm/lstm_cell/kernel an RNN cell" in " ".join(
        ended.out.split()
    )
    wrong = check(parity, "backwards", file=RNN)
    assert (wrong.code, "of 6: forward" in wrong.out) == (1, True)


@pytest.mark.parametrize(
    ("model", "rung"), [("wrong_activation", "forward"), ("reversed_order", "forward")]
)
def test_what_differs_is_red(parity: Command, model: str, rung: str) -> None:
    ended = check(parity, model)
    assert ended.code == 1, ended
    assert f"of 6: {rung}" in ended.out
    assert "  layers          `" in ended.out
    document = json.loads(Path("results/check/tiny_cnn/results.json").read_text("utf-8"))
    jsonschema.validate(document, SCHEMA)
    comparisons = document["outcomes"][0]["comparisons"]
    assert all(each["segments"]["layers"] for each in comparisons)
    page = Path("results/check/tiny_cnn/report.html").read_text("utf-8")
    assert "is wrong on right input" in page


def test_where_all_agrees_no_layer_is_looked_at(parity: Command) -> None:
    assert check(parity, "tiny_cnn").code == 0
    (outcome,) = json.loads(Path("results/check/tiny_cnn/results.json").read_text())["outcomes"]
    assert {each["segments"] for each in outcome["comparisons"]} == {None}
    asked = {each["what"].split()[-1] for each in outcome["jobs"]}
    assert "climb" in asked
    assert not asked & {"tensors", "layers", "fed"}


def turned() -> str:
    """Write the script of the same model with its filters made in the other order."""
    code = (SCRIPTS / "tiny_cnn.py").read_text("utf-8")
    code = code.replace('("left", "right")', '("right", "left")').replace(
        "(pooled,", "(pooled[::-1],"
    )
    Path("turned.py").write_text(code)
    return "turned.py"


def test_weights_of_one_shape_are_told_apart_by_their_gradients(parity: Command) -> None:
    for file in (FILE, turned()):
        ended = check(parity, "unnamed", file=file)
        assert ended.code == 0, ended
        said = " ".join(ended.out.split())
        for name, path in (("left/W", "one/kernel"), ("right/b", "two/bias")):
            assert f"conv-{name} {path} by its gradient" in said
        assert "by order" not in ended.out


def test_a_gradient_that_is_rounding_alone_is_no_difference(parity: Command) -> None:
    ended = check(parity, "normed", file=str(SCRIPTS / "normed.py"))
    assert ended.code == 0, ended
    assert "rounding is all there is of the gradient of hidden/bias" in " ".join(ended.out.split())
    wrong = check(parity, "normed_twice", file=str(SCRIPTS / "normed.py"))
    assert (wrong.code, "of 6: gradients" in wrong.out) == (1, True)


def test_a_tie_that_is_decided_otherwise_is_a_difference_though_rounding_decides_it(
    parity: Command,
) -> None:
    file = str(SCRIPTS / "tied.py")
    ended = check(parity, "tied", file=file)
    assert ended.code == 0, ended
    wrong = check(parity, "tied_the_other_way", file=file)
    assert wrong.code == 1, wrong
    document = json.loads(Path("results/check/tied/results.json").read_text("utf-8"))
    (outcome,) = results.from_json(document).outcomes
    assert {each.failed_rung for each in outcome.comparisons} == {"gradients"}
    assert "rounding is all there is" not in wrong.out


def test_optimizers_of_two_kinds_step_in_turn_and_count_the_same_steps(parity: Command) -> None:
    file = str(SCRIPTS / "in_turn.py")
    ended = check(parity, "in_turn", "--steps", "3", file=file)
    assert ended.code == 0, ended
    assert "step 2: right_step is right_optimizer, RMSPropOptimizer is TF1RMSprop" in ended.out
    wrong = check(parity, "in_turn_with_less_momentum", "--steps", "3", file=file)
    assert wrong.code == 1, wrong
    assert "of 6: update" in wrong.out


def test_a_train_op_that_runs_another_is_refused(parity: Command) -> None:
    ended = check(parity, "in_turn", "--", "--chained", file=str(SCRIPTS / "in_turn.py"))
    assert ended.code == 3, ended
    assert "right_step runs left_step as well" in ended.out


def test_what_order_proposed_the_proof_confirms_or_not(parity: Command) -> None:
    confirmed = check(parity, "not_compiled_and_unnamed")  # there are no gradients
    assert confirmed.code == 0
    assert "paired by order alone, and the proof confirms it: conv-left/W" in confirmed.out
    refused = check(parity, "reversed_order")
    assert "paired by name or order, not by shape" in refused.out


def test_an_inner_layer_is_compared_where_it_is_named(parity: Command) -> None:
    tensor = "dropout/dropout/SelectV2:0"
    ended = check(parity, "tiny_cnn", "--tensor", f"{tensor}=dropout")
    assert ended.code == 0, ended
    assert f"output: {tensor} is dropout" in ended.out
    ended = check(parity, "tiny_cnn", "--tensor", f"{tensor}=droput")
    assert (ended.code, "did you mean 'dropout'" in ended.out) == (3, True)


def test_two_weights_of_one_shape_that_are_exchanged_are_red(parity: Command) -> None:
    ended = check(parity, "tiny_cnn", "--weight", "conv-left/b=right/bias")
    assert ended.code == 1
    assert "conv-left/b right/bias as you say" in " ".join(ended.out.split())
    assert "of 6: forward" in ended.out


def test_several_inputs_and_outputs_are_told_apart(parity: Command) -> None:
    ended = check(parity, "tiny_heads", "--fed", "lengths:0=", file=HEADS)
    assert ended.code == 0, ended
    for line in (
        "input: words:0 is words",
        "input: facts:0 is facts",
        "input: lengths:0, which the graph alone takes",
        "target: kind_labels:0 is kind",
        "target: size_labels:0 is size",
        "output: kind/BiasAdd:0 is kind",
        "output: size/BiasAdd:0 is size",
    ):
        assert line in ended.out
    wrong = check(parity, "without_mask", "--fed", "lengths:0=", file=HEADS)
    assert (wrong.code, "of 6: forward" in wrong.out) == (1, True)


def test_a_model_that_cannot_train_is_compared_as_far_as_it_goes(parity: Command) -> None:
    ended = check(parity, "not_compiled")
    assert ended.code == 0, ended
    assert "only variables and forward were asked for: nothing of training" in ended.out
    assert "is not compiled" in ended.out
    summary = Path("results/check/tiny_cnn/summary.md").read_text("utf-8")
    assert "as far as forward, and nothing of training was compared, Keras computes" in summary
    ended = check(parity, "not_compiled_and_wrong")
    assert (ended.code, "differs at rung 2 of 6: forward" in ended.out) == (1, True)


def test_a_saved_model_is_a_model(parity: Command) -> None:
    rewrites.tiny_cnn().save("right.keras")
    optimizers = "keras_v2.optimizers"
    ended = parity("check", FILE, "--keras", f"{optimizers}:right.keras")
    assert ended.code == 0, ended
    rewrites.wrong_activation().save("wrong.keras")
    assert parity("check", FILE, "--keras", f"{optimizers}:wrong.keras").code == 1


def test_a_saved_model_that_cannot_be_had_is_told(parity: Command) -> None:
    assert "cannot be read" in error(parity("check", FILE, "--keras", "none.keras"))
    Path("torn.keras").write_bytes(b"PK")
    assert "expected a .keras file" in error(parity("check", FILE, "--keras", "torn.keras"))
    words = keras.Input((6,))
    keras.Model(words, keras.layers.Lambda(lambda x: x + 1)(words)).save("lambda.keras")
    assert "no Lambda" in error(parity("check", FILE, "--keras", "lambda.keras"))


def test_an_input_that_keras_has_not_is_asked_for(parity: Command) -> None:
    ended = check(parity, "tiny_heads", file=HEADS)
    assert ended.code == 2
    assert "lengths:0 (8,)" in error(ended)
    assert "--fed TENSOR= of what the graph alone takes" in error(ended)
    ended = check(parity, "tiny_heads", "--fed", "lengths:0=wrds", file=HEADS)
    assert "did you mean 'words'?" in error(ended)


def test_where_it_has_to_ask_a_pair_file_is_filled_in_but_for_the_choice(
    parity: Command,
) -> None:
    ended = check(parity, "tiny_heads", file=HEADS)
    path = Path("results/check/tiny_heads/pair.toml")
    assert ended.code == 2
    assert f"choose in {path}" in error(ended)
    assert error(ended).strip().endswith(f"run: parity check {path}")
    text = path.read_text("utf-8")
    for line in ('"words:0" = "words"', '"kind/BiasAdd:0" = "kind"', '"lengths:0" = [""]'):
        assert line in text.splitlines()
    path.write_text(text.replace('[""]', '["words", ""]'))
    assert "[fed] 'lengths:0' is still to be chosen" in error(parity("check", str(path)))
    path.write_text(text.replace('[""]', '""'))
    ended = parity("check", str(path))
    assert ended.code == 0, ended
    assert "input: lengths:0, which the graph alone takes" in ended.out
    path.write_text(text.replace('[""]', '"wrds"'))
    assert "did you mean 'words'?" in error(parity("check", str(path)))


def test_what_agrees_is_saved_as_a_pair_file_that_asks_the_same(parity: Command) -> None:
    Path("kept").mkdir()
    ended = check(parity, "tiny_heads", "--fed", "lengths:0=", "--save-pair", "kept/heads.toml")
    assert ended.code == 2, "that is another graph"
    asked = ("--fed", "lengths:0=", "--steps", "3", "--save-pair", "kept/heads.toml")
    ended = check(parity, "tiny_heads", *asked, file=HEADS)
    assert ended.code == 0, ended
    assert "wrote kept/heads.toml" in ended.out
    again = parity("check", "kept/heads.toml")
    assert again.code == 0, again
    # Where the first was proposed by name, the second was said; all else is the same.
    lines = [line for line in ended.out.splitlines() if ": " in line and " is " in line]
    assert lines
    assert [line for line in lines if line not in again.out] == []
    refused = check(parity, "tiny_heads", *asked, file=HEADS)
    assert (refused.code, "kept/heads.toml exists" in error(refused)) == (2, True)
    # What is said beside the file goes first.
    wrong = parity("check", "kept/heads.toml", "--keras", "tests.parity.rewrites:without_mask")
    assert (wrong.code, "of 6: forward" in wrong.out) == (1, True)
    ended = parity("check", "kept/heads.toml", "--steps", "0")
    assert ended.code == 2


def test_what_differs_is_not_kept_and_what_order_paired_may_be_chosen(parity: Command) -> None:
    model = "not_compiled_and_unnamed"
    ended = check(parity, model, "--save-pair", "kept.toml", file=turned())
    assert ended.code == 1
    assert "kept.toml was not written: only what agrees is kept" in ended.out
    assert not Path("kept.toml").exists()
    path = Path("results/check/turned/pair.toml")
    assert f"run: parity check {path}" in ended.out
    text = path.read_text("utf-8")
    assert '"conv-left/W" = ["two/kernel", "one/kernel"]' in text
    for kind in ("kernel", "bias"):
        text = text.replace(f'["one/{kind}", "two/{kind}"]', f'"two/{kind}"')
        text = text.replace(f'["two/{kind}", "one/{kind}"]', f'"one/{kind}"')
    path.write_text(text)
    ended = parity("check", str(path))
    assert ended.code == 0, ended
    assert "conv-left/W one/kernel as you say" in " ".join(ended.out.split())


def test_a_cell_s_scope_is_said_as_its_variables_are(parity: Command) -> None:
    ended = check(parity, "tiny_rnn", "--weight", "rnn/basic_lstm_cell=lstm/lstm_cell", file=RNN)
    assert ended.code == 0, ended
    assert "an RNN cell, as you say" in " ".join(ended.out.split())


def test_inputs_of_ones_own_make_every_step_another_batch(parity: Command) -> None:
    Path("own_data.py").write_text(
        "import numpy as np\n"
        "def batches():\n"
        "    random = np.random.RandomState(1)\n"
        "    while True:\n"
        "        words = random.randint(0, 20, [random.randint(2, 9), 6])\n"
        "        yield {'words': words, 'wanted': np.eye(3)[words[:, 0] % 3], 'keep': 0.5}\n"
    )
    asked = ("--inputs", "own_data:batches", "--steps", "6", "--save-pair", "pair.toml")
    ended = check(parity, "tiny_cnn", *asked)
    assert ended.code == 0, ended
    assert "tiny_cnn from user: the inputs of own_data:batches" in ended.out
    assert 'inputs = "own_data:batches"' in Path("pair.toml").read_text("utf-8")
    document = json.loads(Path("results/check/tiny_cnn/results.json").read_text("utf-8"))
    jsonschema.validate(document, SCHEMA)
    np.savez("rows.npz", words=np.arange(16 * 6).reshape(16, 6) % 20, wanted=np.eye(3)[[1] * 16])
    ended = check(parity, "tiny_cnn", "--inputs", "rows.npz", "--steps", "4")
    assert ended.code == 0, ended
    assert "the inputs of rows.npz" in ended.out
    wrong = check(parity, "wrong_activation", "--inputs", "rows.npz")
    assert (wrong.code, "of 6: forward" in wrong.out) == (1, True)
    np.savez("other.npz", wrds=np.zeros((16, 6)))
    ended = check(parity, "tiny_cnn", "--inputs", "other.npz")
    assert "other.npz: the graph has no input 'wrds'" in error(ended)
    assert "did you mean 'words' or 'words:0'?" in error(ended)


def test_nothing_to_compare_with_is_told(parity: Command) -> None:
    ended = parity("check", FILE)
    assert (ended.code, "name it with --keras" in error(ended)) == (2, True)
    Path("pair.toml").write_text(f"graph = '{FILE}'\nkreas = 'm:f'\n")
    ended = parity("check", "pair.toml")
    assert (ended.code, "did you mean 'keras'?" in error(ended)) == (2, True)


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("without_dropout", (), "the Keras model drops in 0 layers"),
        ("no_such", (), "cannot be had in this engine"),
        ("tiny_cnn", ("--weight", "left"), "--weight 'left'; expected NAME=VALUE"),
        ("tiny_cnn", ("--tensor", "output/score:0=output"), "did you mean 'output/scores:0'?"),
        ("tiny_cnn", ("--evaluation", "kep:0=1"), "did you mean 'keep:0'?"),
        ("tiny_cnn", ("--fed", "wrds:0=words"), "did you mean 'words:0'?"),
        ("tiny_cnn", ("--optimizer", "Adm"), "did you mean 'Adam'?"),
    ],
)
def test_what_cannot_be_compared_is_told(
    parity: Command, model: str, options: tuple[str, ...], message: str
) -> None:
    ended = check(parity, model, *options)
    assert ended.code in (2, 3)
    assert message in " ".join(error(ended).split())
