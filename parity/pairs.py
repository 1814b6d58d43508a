"""The table: one row a pair. A row is data; everything else in the harness is generic over it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from parity.errors import BadInput
from parity.pair import Gap, Pair
from parity.weights import ADAM, RMSPROP, Layout, Rule, basic_rnn, gru, lstm, same

# Of the curve by default: the published schedules take hours.
STEPS = {"float32": 100, "float64": 25}

# What Keras's own optimizers do differently.
_FROM_ZERO = "slots start at zero, so the first steps are several times too long"
_UNSUMMED = "words that repeat in a batch are not summed"
_RMSPROP = f"{_FROM_ZERO}; {_UNSUMMED}; slots of absent words decay"
_EPSILON = "epsilon is 1e-7, not 1e-8"
_ADAM = f"{_EPSILON}; {_UNSUMMED}"


def _dense(name: str) -> tuple[Rule, ...]:
    """A dense layer that has the same name on both sides."""
    return same(f"{name}/kernel", f"{name}/kernel"), same(f"{name}/bias", f"{name}/bias")


def _imdb_classifier(
    name: str,
    title: str,
    graph: str,
    gap: float,
    summary: tuple[Rule, ...] = (),
    published: str = "",
    steps: Mapping[str, int] = STEPS,
) -> Pair:
    """One of the models that differ only in how they summarise a review."""
    return Pair(
        name=name,
        title=title,
        graph=f"legacy_graph.{name}:{graph}",
        keras=f"keras_v2.{name}:build_model",
        dataset="datasets.imdb:load_text",
        taps={
            "embedded": "embedding",
            "summary": "summary",
            "hidden": "hidden",
            "dropped": "dropout",
            "logits": "logits",
        },
        dropout={"dropout": "dropout"},
        training_feeds={"keep_prob": 0.7},
        evaluation_feeds={"keep_prob": 1.0},
        metrics=("loss", "accuracy"),
        layout=Layout(
            rules=(
                same("embedding", "embedding/embeddings", spread=0.05),
                *summary,
                *_dense("hidden"),
                *_dense("logits"),
            ),
            slots=ADAM,
        ),
        epochs=10,
        batch_size=128,
        learning_rate=0.001,
        stock="keras.optimizers:Adam",
        gap=Gap(gap, _ADAM),
        published=published,
        steps=steps,
    )


def _reset_after_gru(tf1: str, keras: str) -> tuple[Rule, ...]:
    """A `ResetAfterGRUCell` in scope `tf1`, and the GRU cell at `keras`: laid out alike."""
    parts = ("kernel", "recurrent_kernel", "bias")
    return tuple(same(f"{tf1}/{part}", f"{keras}/{part}") for part in parts)


def _imdb_recurrent(
    name: str,
    title: str,
    graph: str,
    gap: float,
    dropout: dict[str, str],
    cells: tuple[Rule, ...],
    published: str = "",
    layers: tuple[str, str] | None = None,
    epochs: int = 20,
    dataset: str = "datasets.imdb:load_keras",
) -> Pair:
    """One of the models that read a review with two recurrent layers.

    Args:
        name: of the pair.
        title: one line for people.
        graph: class of the graph model.
        gap: largest per-step loss difference of the stock optimizer.
        dropout: of the recurrent layers' inputs.
        cells: weight rules of the two cells.
        published: the figures, in words.
        layers: Keras's names of the two layers; None for two cells stepped together.
        epochs: epochs of the published schedule.
        dataset: loader of the corpus.
    """
    summary = {"outputs": layers[0], "last": layers[1]} if layers else {"last": "rnn"}
    return Pair(
        name=name,
        title=title,
        graph=f"legacy_graph.{name}:{graph}",
        keras=f"keras_v2.{name}:build_model",
        dataset=dataset,
        taps={
            "embedded": "embedding",
            **summary,
            "hidden": "hidden",
            "dropped": "dropout",
            "activated": "relu",
            "logits": "logits",
        },
        dropout={**dropout, "dropout": "dropout"},
        training_feeds={"keep_prob": 0.5},
        evaluation_feeds={"keep_prob": 1.0},
        metrics=("loss", "accuracy"),
        layout=Layout(
            rules=(
                # Wider than the model's own 0.05: a dead input would hide a wrong kernel.
                same("embedding", "embedding/embeddings", spread=0.5),
                *cells,
                *_dense("hidden"),
                *_dense("logits"),
            ),
            slots=RMSPROP,
        ),
        epochs=epochs,
        batch_size=128,
        drop_remainder=True,
        learning_rate=0.001,
        stock="keras.optimizers:RMSprop",
        gap=Gap(gap, _FROM_ZERO if dataset.endswith("glove") else _RMSPROP),
        published=published,
        steps=STEPS,
        output="sigmoid",
    )


_CELLS = {"input_dropout": "rnn/0", "input_dropout_1": "rnn/1"}
_CELL_0, _CELL_1 = (f"rnn/multi_rnn_cell/cell_{i}" for i in range(2))
_GRUS = {"input_dropout": "gru_1", "input_dropout_1": "gru_2"}


def _newsgroups(
    name: str,
    title: str,
    graph: str,
    gap: float,
    tail: tuple[str, ...],
    output: str = "softmax",
    published: str = "",
) -> Pair:
    """One of the models that read a message with an LSTM of Keras 1; `tail`: its dense layers."""
    gates = {"i": 0, "f": 1, "j": 2, "o": 3}  # Keras's order of the gates; it draws inputs first
    return Pair(
        name=name,
        title=title,
        graph=f"legacy_graph.{name}:{graph}",
        keras=f"keras_v2.{name}:build_model",
        dataset="datasets.newsgroups:load",
        taps={
            "embedded": "embedding",
            "last": "lstm",
            **{layer: layer for layer in tail},
        },
        dropout={
            "row_dropout": "embedding",
            **{f"input_dropout_{gate}": f"lstm/{place}" for gate, place in gates.items()},
            **{f"state_dropout_{gate}": f"lstm/{place + 4}" for gate, place in gates.items()},
        },
        training_feeds={"keep_prob": 0.8},
        evaluation_feeds={"keep_prob": 1.0},
        metrics=("loss", "accuracy"),
        layout=Layout(
            rules=(
                same("embedding", "embedding/embeddings", spread=0.5),
                *lstm("lstm/lstm_cell", "lstm/lstm_cell"),
                *(rule for layer in tail for rule in _dense(layer)),
            ),
            slots=ADAM,
        ),
        epochs=5,
        batch_size=32,
        learning_rate=0.001,
        stock="keras.optimizers:Adam",
        gap=Gap(gap, _EPSILON),
        published=published,
        steps=STEPS,
        output=output,
    )


_SMS_RNN = Pair(
    name="sms_rnn",
    title="SMS spam, BasicRNN",
    graph="legacy_graph.sms_rnn:SmsRnn",
    keras="keras_v2.sms_rnn:build_model",
    dataset="datasets.sms_spam:load",
    taps={
        "embedded": "embedding",
        "outputs": "rnn",
        "dropped": "dropout",
        "last": "last",
        "logits": "logits",
    },
    dropout={"dropout": "dropout"},
    training_feeds={"keep_prob": 0.5},
    evaluation_feeds={"keep_prob": 1.0},
    metrics=("loss", "accuracy"),
    layout=Layout(
        rules=(
            same("embedding", "embedding/embeddings", spread=1.0),
            *basic_rnn("rnn/basic_rnn_cell", "rnn/simple_rnn_cell"),
            same("softmax/weight", "logits/kernel"),
            same("softmax/bias", "logits/bias"),
        ),
        slots=RMSPROP,
    ),
    epochs=20,
    batch_size=250,
    learning_rate=0.0005,
    stock="keras.optimizers:RMSprop",
    gap=Gap(0.25, _RMSPROP),
    published="test accuracy 0.88 and test loss 0.30 after 20 epochs",
    bands={"accuracy": (0.87, 0.90), "loss": (0.26, 0.34)},
)

_IMDB_BILSTM = _imdb_classifier(
    "imdb_bilstm",
    "IMDB, bidirectional LSTM",
    "ImdbBilstm",
    gap=0.01,
    summary=(
        *lstm("bidirectional_rnn/fw/lstm_cell", "summary/forward_lstm/lstm_cell"),
        *lstm("bidirectional_rnn/bw/lstm_cell", "summary/backward_lstm/lstm_cell"),
    ),
    published="test accuracy 0.8374 and test loss 0.5644 after 10 epochs",
    # From step 77 on float32 rounding grows threefold every four steps, between the TensorFlows as
    # well (3e-2 at step 100); float64 does not part. See docs/decisions/0006.
    steps={"float32": 75, "float64": 25},
)

_ROWS = (
    _SMS_RNN,
    dataclasses.replace(
        _SMS_RNN,
        name="sms_rnn_mended",
        title="SMS spam, BasicRNN, cleaned messages",
        arguments={"clean": True},
        published="",
        bands={},
        gap=Gap(0.45, _RMSPROP),
        steps=STEPS,
    ),
    _IMDB_BILSTM,
    dataclasses.replace(
        _IMDB_BILSTM,
        name="imdb_bilstm_mended",
        title="IMDB, bidirectional LSTM, tags removed",
        arguments={"mended": True},
        published="",
    ),
    _imdb_classifier(
        "imdb_simple_rnn",
        "IMDB, BasicRNN",
        "ImdbSimpleRnn",
        gap=0.001,
        summary=basic_rnn("rnn/basic_rnn_cell", "summary/simple_rnn_cell"),
    ),
    _imdb_classifier("imdb_pooling", "IMDB, mean word vector", "ImdbPooling", gap=0.06),
    _imdb_classifier("imdb_flatten", "IMDB, word vectors side by side", "ImdbFlatten", gap=0.1),
    Pair(
        name="imdb_embedding_flatten",
        title="IMDB, learned embedding",
        graph="legacy_graph.imdb_embedding_flatten:ImdbEmbeddingFlatten",
        keras="keras_v2.imdb_embedding_flatten:build_model",
        dataset="datasets.imdb:load_keras",
        arguments={"sequence_length": 20, "validation_split": 0.2},
        taps={"embedded": "embedding", "flat": "flat", "logits": "logits"},
        dropout={},
        training_feeds={},
        evaluation_feeds={},
        metrics=("loss", "accuracy"),
        layout=Layout(
            rules=(same("embedding", "embedding/embeddings", spread=0.05), *_dense("logits")),
            slots=RMSPROP,
        ),
        epochs=10,
        batch_size=32,
        learning_rate=0.001,
        stock="keras.optimizers:RMSprop",
        gap=Gap(0.006, _RMSPROP),
        steps=STEPS,
        output="sigmoid",
    ),
    Pair(
        name="imdb_glove_dense",
        title="IMDB, frozen GloVe, dense",
        graph="legacy_graph.imdb_glove_dense:ImdbGloveDense",
        keras="keras_v2.imdb_glove_dense:build_model",
        dataset="datasets.imdb:load_glove",
        taps={"embedded": "embedding", "flat": "flat", "hidden": "hidden", "logits": "logits"},
        dropout={},
        training_feeds={},
        evaluation_feeds={},
        metrics=("loss", "accuracy"),
        layout=Layout(
            rules=(
                same("embedding", "embedding/embeddings", spread=1.0),
                *_dense("hidden"),
                *_dense("logits"),
            ),
            slots=RMSPROP,
        ),
        epochs=10,
        batch_size=32,
        learning_rate=0.001,
        stock="keras.optimizers:RMSprop",
        steps=STEPS,
        gap=Gap(10.0, _FROM_ZERO),
        output="sigmoid",
    ),
    Pair(
        name="deep_lstm",
        title="five LSTM layers, two dense ones",
        graph="legacy_graph.deep_lstm:DeepLstm",
        keras="keras_v2.deep_lstm:build_model",
        dataset="datasets.sequences:load",
        arguments={"seed": 2},
        taps={
            "outputs": "lstm_5",
            "hidden_1": "hidden_1",
            "dropped_1": "dropout_1",
            "hidden_2": "hidden_2",
            "dropped_2": "dropout_2",
        },
        dropout={"dropout_1": "dropout_1", "dropout_2": "dropout_2"},
        training_feeds={"keep_prob": 0.5},
        evaluation_feeds={"keep_prob": 1.0},
        metrics=("loss",),
        layout=Layout(
            rules=(
                *(
                    rule
                    for i in range(5)
                    for rule in lstm(
                        f"rnn/multi_rnn_cell/cell_{i}/lstm_cell", f"lstm_{i + 1}/lstm_cell"
                    )
                ),
                *_dense("hidden_1"),
                *_dense("hidden_2"),
            ),
            slots=ADAM,
        ),
        epochs=10,
        batch_size=32,
        learning_rate=0.001,
        stock="keras.optimizers:Adam",
        # The slope of the loss and of SELU jumps at zero: sooner or later float32 parts there,
        # between the TensorFlows as well. See docs/decisions/0006.
        steps={"float32": 50, "float64": 100},
        gap=Gap(0.001, _EPSILON),
        output="",
    ),
    _imdb_recurrent(
        "imdb_lstm_cells",
        "IMDB, two LSTM cells stepped together",
        "ImdbLstmCells",
        gap=0.02,
        dropout=_CELLS,
        cells=(
            *lstm(f"{_CELL_0}/lstm_cell", "rnn/cells/cell_0"),
            *lstm(f"{_CELL_1}/lstm_cell", "rnn/cells/cell_1"),
        ),
        published="validation loss 0.6452 and accuracy 0.8026 after 20 epochs",
    ),
    _imdb_recurrent(
        "imdb_gru_cells",
        "IMDB, two GRU cells stepped together",
        "ImdbGruCells",
        gap=0.03,
        dropout=_CELLS,
        cells=(
            *_reset_after_gru(f"{_CELL_0}/reset_after_gru_cell", "rnn/cells/cell_0"),
            *_reset_after_gru(f"{_CELL_1}/reset_after_gru_cell", "rnn/cells/cell_1"),
        ),
        published="validation loss 0.7305 and accuracy 0.7993 after 20 epochs",
    ),
    _imdb_recurrent(
        "imdb_gru_cells_v1",
        "IMDB, two cells of TensorFlow 1's own GRU",
        "ImdbGruCellsV1",
        gap=0.03,
        dropout=_CELLS,
        cells=(
            *gru(f"{_CELL_0}/gru_cell", "rnn/cells/cell_0"),
            *gru(f"{_CELL_1}/gru_cell", "rnn/cells/cell_1"),
        ),
    ),
    _imdb_recurrent(
        "imdb_gru_layers",
        "IMDB, two GRU layers",
        "ImdbGruLayers",
        gap=0.03,
        dropout=_GRUS,
        cells=(
            *_reset_after_gru("gru_1/reset_after_gru_cell", "gru_1/gru_cell"),
            *_reset_after_gru("gru_2/reset_after_gru_cell", "gru_2/gru_cell"),
        ),
        layers=("gru_1", "gru_2"),
        published="validation loss 0.7058 and accuracy 0.7942 after 20 epochs",
    ),
    _imdb_recurrent(
        "imdb_gru_layers_v1",
        "IMDB, two layers of TensorFlow 1's own GRU",
        "ImdbGruLayersV1",
        gap=0.03,
        dropout=_GRUS,
        cells=(
            *gru("gru_1/gru_cell", "gru_1/gru_cell"),
            *gru("gru_2/gru_cell", "gru_2/gru_cell"),
        ),
        layers=("gru_1", "gru_2"),
    ),
    _imdb_recurrent(
        "imdb_lstm_glove",
        "IMDB, frozen GloVe, two LSTM layers",
        "ImdbLstmGlove",
        gap=0.03,
        dropout={"lstm_1_dropout": "lstm_1", "lstm_2_dropout": "lstm_2"},
        cells=(
            *lstm("lstm_1/basic_lstm_cell", "lstm_1/lstm_cell"),
            *lstm("lstm_2/basic_lstm_cell", "lstm_2/lstm_cell"),
        ),
        layers=("lstm_1", "lstm_2"),
        epochs=50,
        dataset="datasets.imdb:load_keras_glove",
        published="validation loss 0.4041 and accuracy 0.8251 after 50 epochs",
    ),
    _newsgroups(
        "newsgroups_lstm",
        "20 Newsgroups, LSTM of Keras 1, slips included",
        "NewsgroupsLstm",
        gap=0.0001,
        tail=("neck", "probabilities"),
        output="identity",
        published="loss 0.1992 and accuracy 0.95 at the start (binary, over 20 outputs)",
    ),
    _newsgroups(
        "newsgroups_lstm_mended",
        "20 Newsgroups, LSTM of Keras 1, mended",
        "NewsgroupsLstmMended",
        gap=0.001,
        tail=("logits",),
    ),
)

PAIRS: Mapping[str, Pair] = {row.name: row for row in _ROWS}


def find(name: str) -> Pair:
    """Return the pair called `name`.

    Raises:
        BadInput: there is none; the known ones are listed.
    """
    try:
        return PAIRS[name]
    except KeyError:
        raise BadInput(f"there is no pair {name!r}; known pairs: {', '.join(PAIRS)}") from None
