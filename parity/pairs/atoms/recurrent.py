"""What is done with cells: lengths, both directions, dropout, loops by hand."""

from __future__ import annotations

import functools

from parity.atom import Slip
from parity.pair import Pair
from parity.pairs.atoms.common import atom
from parity.samples import Sample, integers, normal
from parity.weights import Rule, basic_rnn, gru, lstm, same

_RNN = "python/ops/rnn.py: "
_DROPOUT = "python/ops/rnn_cell_wrapper_impl.py: DropoutWrapperBase"
_BOTH = {"x": "x", "lengths": "lengths"}
_LSTM = lstm("rnn/basic_lstm_cell", "lstm/lstm_cell")
_atom = functools.partial(atom, family="recurrent", x=normal(5, 3), y=normal(5, 4))


def _with_lengths(x: Sample) -> dict[str, Sample]:
    """Rows of up to five steps, some of none."""
    return {"x": x, "lengths": integers(high=6)}


def _both_ways() -> tuple[Rule, ...]:
    """Rules of two LSTMs, one in each direction."""
    return tuple(
        rule
        for tf1, keras in (("fw", "forward"), ("bw", "backward"))
        for rule in lstm(f"bidirectional_rnn/{tf1}/basic_lstm_cell", f"both/{keras}_lstm/lstm_cell")
    )


def _numbered(name: str, number: int) -> str:
    """Return a name as TensorFlow has it when it was given before so many times."""
    return f"{name}_{number}" if number else name


_LENGTHS = (
    _atom(
        "dynamic_rnn_lengths",
        "dynamic_rnn, sequence_length",
        x=_with_lengths(normal(5, 3)),
        y=normal(6, 4),
        fed=_BOTH,
        taps={"outputs": "unmasked"},
        rules=_LSTM,
        tf1="past the end the output is 0, and the state is that of the end",
        keras="a mask, and zero_output_for_mask=True",
        source=_RNN + "_rnn_step",
        slip=Slip("a mask alone is given: the last output is repeated past the end", "forward"),
    ),
    _atom(
        "padded_loss",
        "dynamic_rnn, sequence_length; the mean over all steps",
        x=_with_lengths(normal(5, 3)),
        fed=_BOTH,
        taps={"outputs": "unmasked"},
        rules=basic_rnn("rnn/basic_rnn_cell", "rnn/simple_rnn_cell"),
        tf1="reduce_mean counts what is past the end, where the output is 0",
        keras="the mask is ended before the loss: Unmasked of keras_v2/masking.py",
        source=_RNN + "_rnn_step",
        slip=Slip("the mask goes on into the loss: a mean over the steps within", "loss"),
    ),
    _atom(
        "static_rnn_lengths",
        "static_rnn, sequence_length; the last output",
        x=_with_lengths(normal(5, 3)),
        y=normal(4),
        fed=_BOTH,
        taps={"outputs": "last"},
        rules=_LSTM,
        tf1="outputs[-1] is 0 for a row that is shorter than the longest",
        keras="LSTM with unroll, a mask, zero_output_for_mask=True; outputs[:, -1]",
        source=_RNN + "static_rnn",
        slip=Slip("return_sequences=False: the last output before the end", "forward"),
    ),
    _atom(
        "bidirectional_dynamic_rnn",
        "bidirectional_dynamic_rnn",
        y=normal(5, 8),
        taps={"outputs": "both"},
        rules=_both_ways(),
        tf1="the backward cell reads x turned, and what it gives is turned back",
        keras="Bidirectional",
        source=_RNN + "bidirectional_dynamic_rnn",
        slip=Slip("two layers, one with go_backwards: that is not turned back", "forward"),
    ),
    _atom(
        "bidirectional_lengths",
        "bidirectional_dynamic_rnn, sequence_length",
        x=_with_lengths(normal(5, 3)),
        y=normal(5, 8),
        fed=_BOTH,
        taps={"outputs": "unmasked"},
        rules=_both_ways(),
        tf1="the backward cell reads each row from its end on; past the end the output is 0",
        keras="Bidirectional and a mask; it sets zero_output_for_mask by itself",
        source=_RNN + "bidirectional_dynamic_rnn",
        slip=Slip(
            "no mask, and zeros past the end: the backward layer has read the padding", "forward"
        ),
    ),
)

_WRAPPED = (
    _atom(
        "dropout_wrapper",
        "DropoutWrapper of input, state and output, unrolled",
        y=normal(6, 4),
        taps={"outputs": "together"},
        # Input, state and output of each step. Draws inside of a loop cannot be fed.
        dropout={_numbered("rnn/dropout", draw): f"rnn/{draw}" for draw in range(15)},
        keep_prob=0.5,
        rules=lstm("rnn/basic_lstm_cell", "rnn/cell/lstm_cell"),
        tf1="masks are drawn at every step; of the state h, and not of the memory c",
        keras="no class: DropoutCell of keras_v2/cells.py",
        source=_DROPOUT,
        slip=Slip("the memory is dropped, too", "forward"),
    ),
    _atom(
        "variational_lstm",
        "DropoutWrapper, variational_recurrent, of an LSTM",
        taps={"outputs": "output_dropout"},
        dropout={
            "random_uniform": "input_dropout",
            "random_uniform_2": "rnn",  # _1 is of the memory, and not used
            "random_uniform_3": "output_dropout",
        },
        keep_prob=0.5,
        rules=lstm("rnn/basic_lstm_cell", "rnn/cell/inner"),
        tf1="one mask for all steps and all rows; of the state h, and not of the memory c",
        keras="no class: VariationalStateCell of keras_v2/cells.py, and Dropout with noise_shape",
        source=_DROPOUT,
        slip=Slip("each row has a mask of its own, as with Keras's dropout", "forward"),
    ),
    _atom(
        "variational_gru",
        "DropoutWrapper, variational_recurrent, of a GRU",
        taps={"outputs": "output_dropout"},
        dropout={
            "random_uniform": "input_dropout",
            "random_uniform_1": "rnn",
            "random_uniform_2": "output_dropout",
        },
        keep_prob=0.5,
        rules=gru("rnn/gru_cell", "rnn/cell/inner"),
        tf1="one mask for all steps and all rows; the state is dropped before it is carried on",
        keras="no class: VariationalStateCell of keras_v2/cells.py, and Dropout with noise_shape",
        source=_DROPOUT,
        slip=Slip(
            "gates read a dropped state, as with recurrent_dropout: it is carried on whole",
            "forward",
        ),
    ),
)

_LOOPS = (
    _atom(
        "while_loop",
        "while_loop over a cell by hand, up to the longest row",
        x=_with_lengths(normal(5, 3)),
        y=normal(4),
        fed=_BOTH,
        taps={"outputs": "rnn"},
        rules=(
            same("kernel", "rnn/leaky_cell/kernel"),
            same("recurrent_kernel", "rnn/leaky_cell/recurrent_kernel"),
            same("bias", "rnn/leaky_cell/bias"),
        ),
        tf1="all rows go on until the longest one ends",
        keras="RNN of a cell by hand, and one mask for the whole batch",
        source="python/ops/control_flow_ops.py: while_loop",
        slip=Slip("a mask of each row: it stops at its own end", "forward"),
    ),
    _atom(
        "scan",
        "scan without an initializer",
        y=normal(5, 3),
        taps={"outputs": "mean"},
        rules=(same("share", "mean/share", spread=1.0),),
        tf1="the first element is the first result",
        keras="ops.scan from the first element, over the others",
        source="python/ops/functional_ops.py: scan",
        slip=Slip("ops.scan from zeros, over all of them", "forward"),
    ),
    _atom(
        "raw_rnn",
        "raw_rnn that reads what it said",
        x=_with_lengths(normal(4)),
        y=normal(5, 4),
        fed=_BOTH,
        taps={"outputs": "said"},
        rules=gru("rnn/gru_cell", "gru_cell"),
        tf1="loop_fn says what is read next; past the end of a row 0 is said",
        keras="a cell that is called for every step, and a mask",
        source=_RNN + "raw_rnn",
        slip=Slip("there is no mask: a row goes on past its end", "forward"),
    ),
)

ROWS: tuple[Pair, ...] = (*_LENGTHS, *_WRAPPED, *_LOOPS)
