"""Models of the IMDB reviews."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from parity.layout import Layout
from parity.pair import Data, Pair, Schedule, Wiring
from parity.pairs.common import (
    FROM_ZERO,
    SPARSE_RMSPROP,
    adam,
    dense,
    embedding,
    rmsprop,
    row,
    wired,
)
from parity.published import Count, Figure, Margin, Prediction, Published
from parity.slots import ADAM, RMSPROP
from parity.weights import Rule, basic_rnn, gru, lstm, same

# The authors do not say where they cut reviews to 80 words: docs/models.md.
_BEGINNINGS = {"side": "post"}
_OVERFITTED = Margin(
    0.17,
    "the authors' three models of two recurrent layers lie 0.085 apart, each trained once; twice "
    "that, for a loss that overfitting moves from epoch to epoch",
)
_ACCURACY = Margin(
    0.017,
    "the authors' three models of two recurrent layers lie 0.0084 apart, each trained once; twice "
    "that",
)
_EQUIVALENT = {
    "loss": Margin(0.07, "a tenth of the loss of a guess, ln 2"),
    "accuracy": Margin(0.01, "one review in a hundred: less decides for no implementation"),
}
_FEW = Margin(
    0.02,
    "two reviews in a hundred, twice the margin of the other models: 20 trainings on 200 reviews "
    "cannot show less",
)


def _classifier(
    name: str,
    title: str,
    gap: float,
    summary: tuple[Rule, ...] = (),
    margins: Mapping[str, Margin] | None = None,
    published: Published | None = None,
) -> Pair:
    """One of the models that differ only in how they summarise a review.

    Args:
        name: of the pair.
        title: one line for people.
        gap: largest per-step loss difference of the stock optimizer.
        summary: weight rules of the layer that summarises.
        margins: of the stock optimizer, where it is trained over many seeds.
        published: what the authors printed, if anything.
    """
    return row(
        name,
        title,
        Data("datasets.imdb:load_text"),
        wired(
            taps={
                "embedded": "embedding",
                "summary": "summary",
                "hidden": "hidden",
                "dropped": "dropout",
                "logits": "logits",
            },
            dropout={"dropout": "dropout"},
            keep_prob=0.7,
        ),
        Layout((embedding(spread=0.05), *summary, *dense("hidden"), *dense("logits")), ADAM),
        Schedule(epochs=10, batch_size=128),
        adam(gap, margins=margins),
        published,
    )


def _recurrent(
    name: str,
    title: str,
    gap: float,
    summary: Mapping[str, str],
    dropout: Mapping[str, str],
    cells: tuple[Rule, ...],
    cause: str = SPARSE_RMSPROP,
    loader: str = "load_keras",
    epochs: int = 20,
    published: Published | None = None,
) -> Pair:
    """One of the models that read a review with two recurrent layers.

    Args:
        name: of the pair.
        title: one line for people.
        gap: largest per-step loss difference of the stock optimizer.
        summary: taps of the recurrent layers.
        dropout: of the recurrent layers' inputs.
        cells: weight rules of the two cells.
        cause: of the gap.
        loader: of the corpus, in `datasets.imdb`.
        epochs: epochs of the published schedule.
        published: what the authors printed, if anything.
    """
    return row(
        name,
        title,
        Data(f"datasets.imdb:{loader}", _BEGINNINGS),
        wired(
            taps={
                "embedded": "embedding",
                **summary,
                "hidden": "hidden",
                "dropped": "dropout",
                "activated": "relu",
                "logits": "logits",
            },
            dropout={**dropout, "dropout": "dropout"},
            keep_prob=0.5,
            output="sigmoid",
        ),
        # Wider than the model's own 0.05: a dead input would hide a wrong kernel.
        Layout((embedding(spread=0.5), *cells, *dense("hidden"), *dense("logits")), RMSPROP),
        Schedule(epochs, batch_size=128, drop_remainder=True),
        rmsprop(gap, cause),
        published,
    )


def _reset_after_gru(tf1: str, keras: str) -> tuple[Rule, ...]:
    """A `ResetAfterGRUCell` in scope `tf1`, and the GRU cell at `keras`: laid out alike."""
    parts = ("kernel", "recurrent_kernel", "bias")
    return tuple(same(f"{tf1}/{part}", f"{keras}/{part}") for part in parts)


_Rules = Callable[[str, str], tuple[Rule, ...]]


def _final(loss: float, accuracy: float, times: str) -> Published:
    """What the authors printed after 20 epochs; the test set served them for validation."""
    return Published(
        figures=(
            Figure("loss", loss, _OVERFITTED, epoch=20),
            Figure("accuracy", accuracy, _ACCURACY, epoch=20),
        ),
        counts=(Count("steps an epoch", 195, "steps"),),
        times=times,
    )


def _stepped(
    name: str,
    title: str,
    gap: float,
    rules: _Rules,
    cell: str,
    published: Published | None = None,
) -> Pair:
    """Two cells stepped together; `cell` is the graph's scope of one, `rules` are its weights'."""
    cells = [rules(f"rnn/multi_rnn_cell/cell_{i}/{cell}", f"rnn/cells/cell_{i}") for i in range(2)]
    return _recurrent(
        name,
        title,
        gap,
        summary={"last": "rnn"},
        dropout={"input_dropout": "rnn/0", "input_dropout_1": "rnn/1"},
        cells=(*cells[0], *cells[1]),
        published=published,
    )


def _gru_layers(
    name: str, title: str, rules: _Rules, cell: str, published: Published | None = None
) -> Pair:
    """Two GRU layers; `cell` is the graph's scope of a cell, `rules` are its weights'."""
    return _recurrent(
        name,
        title,
        0.03,
        summary={"outputs": "gru_1", "last": "gru_2"},
        dropout={"input_dropout": "gru_1", "input_dropout_1": "gru_2"},
        cells=(
            *rules(f"gru_1/{cell}", "gru_1/gru_cell"),
            *rules(f"gru_2/{cell}", "gru_2/gru_cell"),
        ),
        published=published,
    )


_IMDB_BILSTM = _classifier(
    "imdb_bilstm",
    "IMDB, bidirectional LSTM",
    gap=0.01,
    summary=(
        *lstm("bidirectional_rnn/fw/lstm_cell", "summary/forward_lstm/lstm_cell"),
        *lstm("bidirectional_rnn/bw/lstm_cell", "summary/backward_lstm/lstm_cell"),
    ),
    published=Published(
        figures=(
            Figure(
                "accuracy",
                0.8698,
                Margin(
                    0.08,
                    "the reviews held out are negative to the last: this is no accuracy but a "
                    "recall, and moves as far as the threshold between the classes does",
                ),
                epoch=10,
                split="validation",
            ),
            Figure("loss", 0.5644, _OVERFITTED, epoch=10),
            Figure(
                "accuracy",
                0.8374,
                Margin(0.02, "as the other IMDB models, and the dropout rate was not printed"),
                epoch=10,
            ),
            Prediction(
                "This is really a junk movie. Jupyter doesn't like it. Thank you! It's really bad",
                "negative",
                0.872,
                Margin(0.372, "of one sentence the class is the answer: more than one half"),
                epoch=10,
            ),
        ),
        counts=(
            Count("distinct words", 88_582, "distinct"),
            Count("index of `br`", 7, "index", "br"),
            Count("parameters", 161_794, "parameters"),
            Count("parameters of the embedding", 128_000, "parameters", "embedding"),
            Count("parameters of the two LSTMs", 16_640, "parameters", "bidirectional_rnn"),
            Count("parameters of the hidden layer", 16_640, "parameters", "hidden"),
            Count("parameters of the softmax", 514, "parameters", "logits"),
        ),
        times="149 ms a step in training, 51 ms a step of 32 reviews in evaluation",
    ),
)

ROWS: tuple[Pair, ...] = (
    _IMDB_BILSTM,
    dataclasses.replace(
        _IMDB_BILSTM,
        name="imdb_bilstm_mended",
        title="IMDB, bidirectional LSTM, tags removed",
        data=Data("datasets.imdb:load_text", {"mended": True}),
        published=Published(),
    ),
    _classifier(
        "imdb_simple_rnn",
        "IMDB, BasicRNN",
        gap=0.001,
        summary=basic_rnn("rnn/basic_rnn_cell", "summary/simple_rnn_cell"),
    ),
    _classifier("imdb_pooling", "IMDB, mean word vector", gap=0.06, margins=_EQUIVALENT),
    _classifier("imdb_flatten", "IMDB, word vectors side by side", gap=0.1),
    row(
        "imdb_embedding_flatten",
        "IMDB, learned embedding",
        Data("datasets.imdb:load_keras", {"sequence_length": 20, "validation_split": 0.2}),
        Wiring(
            taps={"embedded": "embedding", "flat": "flat", "logits": "logits"},
            dropout={},
            output="sigmoid",
        ),
        Layout((embedding(spread=0.05), *dense("logits")), RMSPROP),
        Schedule(epochs=10, batch_size=32),
        rmsprop(0.006, margins=_EQUIVALENT),
    ),
    row(
        "imdb_glove_dense",
        "IMDB, frozen GloVe, dense",
        Data("datasets.imdb:load_glove"),
        Wiring(
            taps={"embedded": "embedding", "flat": "flat", "hidden": "hidden", "logits": "logits"},
            dropout={},
            output="sigmoid",
        ),
        Layout((embedding(spread=1.0), *dense("hidden"), *dense("logits")), RMSPROP),
        Schedule(epochs=10, batch_size=32),
        rmsprop(10.0, FROM_ZERO, {**_EQUIVALENT, "accuracy": _FEW}),
    ),
    _stepped(
        "imdb_lstm_cells",
        "IMDB, two LSTM cells stepped together",
        0.02,
        lstm,
        "lstm_cell",
        published=_final(0.6452, 0.8026, "335 ms a step"),
    ),
    _stepped(
        "imdb_gru_cells",
        "IMDB, two GRU cells stepped together",
        0.03,
        _reset_after_gru,
        "reset_after_gru_cell",
        published=_final(0.7305, 0.7993, "285 ms a step"),
    ),
    _stepped(
        "imdb_gru_cells_v1",
        "IMDB, two cells of TensorFlow 1's own GRU",
        0.03,
        gru,
        "gru_cell",
    ),
    _gru_layers(
        "imdb_gru_layers",
        "IMDB, two GRU layers",
        _reset_after_gru,
        "reset_after_gru_cell",
        published=_final(0.7058, 0.7942, "285 ms a step"),
    ),
    _gru_layers(
        "imdb_gru_layers_v1",
        "IMDB, two layers of TensorFlow 1's own GRU",
        gru,
        "gru_cell",
    ),
    _recurrent(
        "imdb_lstm_glove",
        "IMDB, frozen GloVe, two LSTM layers",
        0.03,
        summary={"outputs": "lstm_1", "last": "lstm_2"},
        dropout={"lstm_1_dropout": "lstm_1", "lstm_2_dropout": "lstm_2"},
        cells=(
            *lstm("lstm_1/basic_lstm_cell", "lstm_1/lstm_cell"),
            *lstm("lstm_2/basic_lstm_cell", "lstm_2/lstm_cell"),
        ),
        cause=FROM_ZERO,
        loader="load_keras_glove",
        epochs=50,
        published=Published(
            figures=(
                Figure(
                    "loss",
                    0.4041,
                    Margin(
                        0.04,
                        "a tenth of it: with frozen vectors it does not overfit as its fellows do",
                    ),
                    epoch=50,
                ),
                Figure("accuracy", 0.8251, _ACCURACY, epoch=50),
            ),
            counts=(
                Count(
                    "words with a GloVe vector, of 10,000",
                    9_838,
                    "vectors",
                    reason="all 400,000 vectors of GloVe 6B give 9,793, a subset of them fewer",
                ),
                Count("steps an epoch", 195, "steps"),
            ),
            times="34 ms a step",
        ),
    ),
)
