"""Models of sequences of numbers."""

from __future__ import annotations

from parity.layout import Layout
from parity.pair import Data, Pair, Schedule
from parity.pairs.common import EPSILON, adam, dense, row, wired
from parity.published import Count, Published
from parity.slots import ADAM
from parity.weights import lstm

_LAYERS = [
    lstm(f"rnn/multi_rnn_cell/cell_{i}/lstm_cell", f"lstm_{i + 1}/lstm_cell") for i in range(5)
]
_PARAMETERS = {
    **{
        f"rnn/multi_rnn_cell/cell_{i}/": size
        for i, size in enumerate((17_408, 33_024, 98_816, 246_528, 459_776))
    },
    "hidden_1": 65_792,
    "hidden_2": 65_792,
}

ROWS: tuple[Pair, ...] = (
    row(
        "deep_lstm",
        "five LSTM layers, two dense ones",
        Data("datasets.sequences:load"),
        wired(
            taps={
                "outputs": "lstm_5",
                "hidden_1": "hidden_1",
                "dropped_1": "dropout_1",
                "hidden_2": "hidden_2",
                "dropped_2": "dropout_2",
            },
            dropout={"dropout_1": "dropout_1", "dropout_2": "dropout_2"},
            keep_prob=0.5,
            metrics=("loss",),
            output="",
        ),
        Layout(
            rules=(
                *(rule for layer in _LAYERS for rule in layer),
                *dense("hidden_1"),
                *dense("hidden_2"),
            ),
            slots=ADAM,
        ),
        Schedule(epochs=10, batch_size=32),
        adam(0.001, EPSILON),
        Published(
            counts=(
                Count("parameters", 987_136, "parameters"),
                *(
                    Count(f"parameters of layer {number}", size, "parameters", start)
                    for number, (start, size) in enumerate(_PARAMETERS.items(), 1)
                ),
            )
        ),
    ),
)
