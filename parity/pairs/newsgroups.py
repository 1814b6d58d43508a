"""Models of the 20 Newsgroups."""

from __future__ import annotations

from parity.pair import Data, Pair, Published, Schedule
from parity.pairs.common import EPSILON, adam, dense, embedding, row, wired
from parity.weights import ADAM, Layout, lstm

# Keras's places of the gates; the cell draws the inputs' masks first, then the state's.
_GATES = {"i": 0, "f": 1, "j": 2, "o": 3}


def _lstm(
    name: str,
    title: str,
    gap: float,
    tail: tuple[str, ...],
    output: str = "softmax",
    figures: str = "",
) -> Pair:
    """One of the models that read a message with an LSTM of Keras 1.

    Args:
        name: of the pair.
        title: one line for people.
        gap: largest per-step loss difference of the stock optimizer.
        tail: the dense layers behind the LSTM.
        output: what turns the last of them into probabilities.
        figures: those of the authors, in words.
    """
    return row(
        name,
        title,
        Data("datasets.newsgroups:load"),
        wired(
            taps={"embedded": "embedding", "last": "lstm", **{layer: layer for layer in tail}},
            dropout={
                "row_dropout": "embedding",
                **{f"input_dropout_{gate}": f"lstm/{place}" for gate, place in _GATES.items()},
                **{f"state_dropout_{gate}": f"lstm/{place + 4}" for gate, place in _GATES.items()},
            },
            keep_prob=0.8,
            output=output,
        ),
        Layout(
            rules=(
                embedding(spread=0.5),
                *lstm("lstm/lstm_cell", "lstm/lstm_cell"),
                *(rule for layer in tail for rule in dense(layer)),
            ),
            slots=ADAM,
        ),
        # A message has a thousand words: ten steps take as long as those of all other pairs.
        Schedule(epochs=5, batch_size=32, steps=10),
        adam(gap, EPSILON),
        Published(figures),
    )


ROWS: tuple[Pair, ...] = (
    _lstm(
        "newsgroups_lstm",
        "20 Newsgroups, LSTM of Keras 1, slips included",
        gap=0.0001,
        tail=("neck", "probabilities"),
        output="identity",
        figures="loss 0.1992 and accuracy 0.95 at the start (binary, over 20 outputs)",
    ),
    _lstm(
        "newsgroups_lstm_mended",
        "20 Newsgroups, LSTM of Keras 1, mended",
        gap=0.001,
        tail=("logits",),
    ),
)
