"""Models of the SMS Spam Collection."""

from __future__ import annotations

import dataclasses

from parity.pair import STEPS, Data, Pair, Published, Schedule
from parity.pairs.common import embedding, rmsprop, row, wired
from parity.weights import RMSPROP, Layout, basic_rnn, same

_SMS_RNN = row(
    "sms_rnn",
    "SMS spam, BasicRNN",
    Data("datasets.sms_spam:load"),
    wired(
        taps={
            "embedded": "embedding",
            "outputs": "rnn",
            "dropped": "dropout",
            "last": "last",
            "logits": "logits",
        },
        dropout={"dropout": "dropout"},
        keep_prob=0.5,
    ),
    Layout(
        rules=(
            embedding(spread=1.0),
            *basic_rnn("rnn/basic_rnn_cell", "rnn/simple_rnn_cell"),
            same("softmax/weight", "logits/kernel"),
            same("softmax/bias", "logits/bias"),
        ),
        slots=RMSPROP,
    ),
    # Short enough to be run whole.
    Schedule(epochs=20, batch_size=250, learning_rate=0.0005, steps=0),
    rmsprop(0.25),
    Published(
        "test accuracy 0.88 and test loss 0.30 after 20 epochs",
        bands={"accuracy": (0.87, 0.90), "loss": (0.26, 0.34)},
    ),
)

ROWS: tuple[Pair, ...] = (
    _SMS_RNN,
    dataclasses.replace(
        _SMS_RNN,
        name="sms_rnn_mended",
        title="SMS spam, BasicRNN, cleaned messages",
        data=Data("datasets.sms_spam:load", {"clean": True}),
        schedule=dataclasses.replace(_SMS_RNN.schedule, steps=STEPS),
        stock=rmsprop(0.45),
        published=Published(),
    ),
)
