"""Models of the 20 Newsgroups."""

from __future__ import annotations

from parity.layout import Layout
from parity.pair import Data, Pair, Schedule
from parity.pairs.common import EPSILON, adam, dense, embedding, row, wired
from parity.published import Count, Figure, Margin, Published
from parity.slots import ADAM
from parity.weights import lstm

# Keras's places of the gates; the cell draws the inputs' masks first, then the state's.
_GATES = {"i": 0, "f": 1, "j": 2, "o": 3}

# Printed by the progress bar of the first epoch: the loss is binary, over 20 outputs.
_PUBLISHED = Published(
    figures=(
        Figure(
            "loss",
            0.1992,
            Margin(0.003, "two standard deviations of what the labels of a batch of 32 are worth"),
            epoch=0,
            split="train",
        ),
        Figure(
            "accuracy",
            0.95,
            Margin(0.0005, "no probability reaches one half, so it is 0.95 but for its rounding"),
            epoch=0,
            split="train",
        ),
    ),
    counts=(
        Count("messages", 19_997, "rows"),
        Count("messages to train on", 15_998, "train"),
        Count("messages for validation", 3_999, "test"),
        Count(
            "distinct words",
            214_909,
            "distinct",
            reason="the authors' copy had other line ends; this one gives 214,873",
        ),
        Count("index of `newsgroups`", 43, "index", "newsgroups"),
        Count("index of `he`", 76, "index", "he"),
        Count("parameters", 2_080_641, "parameters"),
        Count("parameters of the embedding", 2_000_100, "parameters", "embedding"),
        Count("parameters of the LSTM", 80_400, "parameters", "lstm"),
        Count("parameters of the neck", 101, "parameters", "neck"),
        Count("parameters of the softmax", 40, "parameters", "probabilities"),
        Count("parameters that are trained", 2_000_241, "trainable"),
        Count("parameters that are not", 80_400, "frozen"),
    ),
)


def _lstm(
    name: str,
    title: str,
    gap: float,
    tail: tuple[str, ...],
    output: str = "softmax",
    published: Published | None = None,
) -> Pair:
    """One of the models that read a message with an LSTM of Keras 1.

    Args:
        name: of the pair.
        title: one line for people.
        gap: largest per-step loss difference of the stock optimizer.
        tail: the dense layers behind the LSTM.
        output: what turns the last of them into probabilities.
        published: what the authors printed, if anything.
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
        # A message has a thousand words: five steps take as long as twenty of any other pair.
        Schedule(epochs=5, batch_size=32, steps=5),
        adam(gap, EPSILON),
        published,
    )


ROWS: tuple[Pair, ...] = (
    _lstm(
        "newsgroups_lstm",
        "20 Newsgroups, LSTM of Keras 1, slips included",
        gap=0.0001,
        tail=("neck", "probabilities"),
        output="identity",
        published=_PUBLISHED,
    ),
    _lstm(
        "newsgroups_lstm_mended",
        "20 Newsgroups, LSTM of Keras 1, mended",
        gap=0.001,
        tail=("logits",),
    ),
)
