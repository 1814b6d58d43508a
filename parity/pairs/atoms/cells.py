"""Recurrent cells."""

from __future__ import annotations

import functools

from parity.atom import Slip
from parity.pair import Pair
from parity.pairs.atoms.common import atom
from parity.samples import normal
from parity.weights import LSTM_GATES, CellKernel, Rule, basic_rnn, gru, lstm, same

_SOURCE = "python/ops/rnn_cell_impl.py: "
_CONTRIB = "contrib/rnn/python/ops/rnn_cell.py: "
_cell = functools.partial(atom, family="cells", x=normal(5, 3), y=normal(5, 4))


def _layer_norm_lstm(tf1: str, keras: str) -> tuple[Rule, ...]:
    """A LayerNormBasicLSTMCell in scope `tf1`, and ours at the path `keras`."""
    kernels = (f"{keras}/kernel", f"{keras}/recurrent_kernel")
    norms = ("input", "transform", "forget", "output", "state")
    return (
        CellKernel((f"{tf1}/kernel",), kernels, gates=LSTM_GATES),
        *(same(f"{tf1}/{n}/gamma", f"{keras}/{n}/gamma", spread=0.5, centre=1.0) for n in norms),
        *(same(f"{tf1}/{n}/beta", f"{keras}/{n}/beta") for n in norms),
    )


ROWS: tuple[Pair, ...] = (
    _cell(
        "basic_rnn_cell",
        "BasicRNNCell",
        taps={"outputs": "rnn"},
        rules=basic_rnn("rnn/basic_rnn_cell", "rnn/simple_rnn_cell"),
        tf1="h' = tanh([x, h] W + b)",
        keras="h' = tanh(x K + h R + b): SimpleRNN; K is the upper rows of W, R the lower ones",
        source=_SOURCE + "BasicRNNCell.call",
        slip=Slip("the activation is left out", "forward"),
    ),
    _cell(
        "gru_cell",
        "GRUCell",
        taps={"outputs": "gru"},
        rules=gru("rnn/gru_cell", "gru/gru_cell"),
        tf1="r, u = sigmoid([x, h] W + b); c = tanh([x, r h] V + d); h' = u h + (1 - u) c",
        keras="GRU with reset_after=False; gates z, r, h, where z is u",
        source=_SOURCE + "GRUCell.call",
        slip=Slip("the gates are copied in TensorFlow 1's order, r before u", "forward"),
    ),
    _cell(
        "basic_lstm_cell",
        "BasicLSTMCell",
        taps={"outputs": "lstm"},
        rules=lstm("rnn/basic_lstm_cell", "lstm/lstm_cell"),
        tf1="i, j, f, o = [x, h] W + b; c' = sigmoid(f + 1) c + sigmoid(i) tanh(j); "
        "h' = sigmoid(o) tanh(c')",
        keras="LSTM; gates i, f, c, o, and a bias that holds the 1",
        source=_SOURCE + "BasicLSTMCell.call",
        slip=Slip(
            "the forget bias is not added to the bias",
            "forward",
            lstm("rnn/basic_lstm_cell", "lstm/lstm_cell", forget_bias=0.0),
        ),
    ),
    _cell(
        "peephole_lstm_cell",
        "LSTMCell, use_peepholes",
        taps={"outputs": "lstm"},
        rules=(
            *lstm("rnn/lstm_cell", "lstm/cell"),
            same("rnn/lstm_cell/w_i_diag", "lstm/cell/peephole_input", spread=1.0),
            same("rnn/lstm_cell/w_f_diag", "lstm/cell/peephole_forget", spread=1.0),
            same("rnn/lstm_cell/w_o_diag", "lstm/cell/peephole_output", spread=1.0),
        ),
        tf1="c' = sigmoid(f + 1 + w_f c) c + sigmoid(i + w_i c) tanh(j); "
        "h' = sigmoid(o + w_o c') tanh(c')",
        keras="no class: TF1LSTMCell of keras_v2/cells.py",
        source=_SOURCE + "LSTMCell.call",
        slip=Slip("the output gate looks at the old memory, as the others do", "forward"),
    ),
    _cell(
        "projected_lstm_cell",
        "LSTMCell, num_proj and proj_clip",
        y=normal(5, 2),
        taps={"outputs": "lstm"},
        rules=(
            *lstm("rnn/lstm_cell", "lstm/cell", state=2),
            same("rnn/lstm_cell/projection/kernel", "lstm/cell/projection_kernel"),
        ),
        tf1="h' = clip(sigmoid(o) tanh(c') P, -1/8, 1/8): the next step reads that",
        keras="no class: TF1LSTMCell of keras_v2/cells.py",
        source=_SOURCE + "LSTMCell.call",
        slip=Slip("the outputs are clipped, but not the state", "forward"),
    ),
    _cell(
        "clipped_lstm_cell",
        "LSTMCell, cell_clip",
        taps={"outputs": "lstm"},
        rules=lstm("rnn/lstm_cell", "lstm/cell"),
        tf1="c' = clip(sigmoid(f + 1) c + sigmoid(i) tanh(j), -1/8, 1/8); h' = sigmoid(o) tanh(c')",
        keras="no class: TF1LSTMCell of keras_v2/cells.py",
        source=_SOURCE + "LSTMCell.call",
        slip=Slip("Keras's LSTM is taken, which does not clip", "forward"),
    ),
    _cell(
        "layer_norm_lstm_cell",
        "contrib's LayerNormBasicLSTMCell",
        taps={"outputs": "lstm"},
        rules=_layer_norm_lstm("rnn/layer_norm_basic_lstm_cell", "lstm/cell"),
        tf1="i, j, f, o and c' are normalised over the units, with gain and shift, epsilon 1e-12",
        keras="no class: LayerNormLSTMCell of keras_v2/cells.py",
        source=_CONTRIB + "LayerNormBasicLSTMCell.call",
        slip=Slip("the epsilon is Keras's, 1e-3", "forward"),
    ),
    _cell(
        "nas_cell",
        "contrib's NASCell",
        taps={"outputs": "nas"},
        rules=(
            same("rnn/nas_cell/kernel", "nas/cell/kernel"),
            same("rnn/nas_cell/recurrent_kernel", "nas/cell/recurrent_kernel"),
        ),
        tf1="eight branches, joined by products, sums and nonlinearities",
        keras="no class: NASCell of keras_v2/cells.py",
        source=_CONTRIB + "NASCell.call",
        slip=Slip("the fourth branch adds input and state, as the others do", "forward"),
    ),
    _cell(
        "residual_wrapper",
        "ResidualWrapper",
        x=normal(5, 4),
        taps={"outputs": "sum"},
        rules=gru("rnn/gru_cell", "gru/gru_cell"),
        tf1="out + x goes out, the state is the cell's",
        keras="Add of a layer's input and output",
        source="python/ops/rnn_cell_wrapper_impl.py: ResidualWrapperBase",
        slip=Slip("the sum is carried on as the state, too", "forward"),
    ),
    _cell(
        "highway_wrapper",
        "contrib's HighwayWrapper",
        x=normal(5, 4),
        taps={"outputs": "sum"},
        rules=(
            *gru("rnn/gru_cell", "gru/gru_cell"),
            same("rnn/carry_w", "carry/kernel"),
            same("rnn/carry_b", "carry/bias"),
        ),
        tf1="x g + out (1 - g), g = sigmoid(x W + b)",
        keras="a Dense layer with a sigmoid for the gate, and the sum",
        source=_CONTRIB + "HighwayWrapper",
        slip=Slip(
            "the gate is the other one, as in Keras 1's Highway: out g + x (1 - g)", "forward"
        ),
    ),
    _cell(
        "multi_rnn_cell",
        "MultiRNNCell, with its final states",
        y=normal(9, 4),
        taps={"outputs": "together"},
        rules=(
            *lstm("rnn/multi_rnn_cell/cell_0/basic_lstm_cell", "rnn/stacked_rnn_cells/lower"),
            *lstm("rnn/multi_rnn_cell/cell_1/basic_lstm_cell", "rnn/stacked_rnn_cells/upper"),
        ),
        tf1="each cell's output is the next one's input; a state is (c, h)",
        keras="RNN of a list of cells; a state is [h, c]",
        source=_SOURCE + "MultiRNNCell.call",
        slip=Slip("the final states are taken in TensorFlow 1's order, memory first", "forward"),
    ),
    _cell(
        "shared_cells",
        "MultiRNNCell of [cell] * 2",
        x=normal(5, 4),
        taps={"outputs": "rnn"},
        rules=basic_rnn("rnn/multi_rnn_cell/cell_0/basic_rnn_cell", "rnn/simple_rnn_cell"),
        tf1="one cell object, so one set of weights, whose gradient is summed over the layers",
        keras="one layer that is called twice",
        source=_SOURCE + "MultiRNNCell.__init__",
        slip=Slip("the upper layer has a copy of the weights", "gradients"),
    ),
)
